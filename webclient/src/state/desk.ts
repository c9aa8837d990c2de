// People and what they want of one: who is there, contacts, blocks, direct rooms, alerts.
import type { Contact } from '../api/contacts';
import type { User } from '../api/users';
import { BytesError } from '../protocol/bytes';
import { newId, parseId } from '../protocol/ids';
import { SchemaError } from '../protocol/schema';
import type { Fact } from '../session/fact';
import { everyone } from './everyone';
import { Faces } from './faces';
import type { Home, Personal } from './home';
import { mayInHouse } from './may';
import type { AppState } from './model';
import { Notices } from './notices';
import { Observable } from './observable';
import {
  NOBODY,
  type Alert,
  type Comparison,
  type PeopleDesk,
  type PeopleState,
  type Profile,
} from './people_model';
import { parsePresence } from './presence';
import { ProblemError } from './problem';
import type { RoomHandle } from './room';
import { RoomOffice } from './room_office';

/** What belongs to one login. */
interface Known {
  readonly home: Home;
  readonly notices: Notices;
  users: readonly User[];
  contacts: readonly Contact[];
  blocked: readonly User[];
}

type Run = <T>(run: () => Promise<T>) => Promise<T>;

export class Desk implements PeopleDesk {
  readonly #here: () => Home;
  readonly #act: Run;
  readonly #state = new Observable<PeopleState>(NOBODY);
  readonly #alerted = new Set<(alert: Alert) => void>();
  readonly rooms: RoomOffice;
  readonly #faces = new Faces((id) => this.#here().parts.api.attachments.read(parseId(id)));
  #known: Known | null = null;
  #drawing = false;

  /** `act` runs an action; what goes wrong in it is a Problem. */
  constructor(here: () => Home, act: Run) {
    this.#here = here;
    this.#act = act;
    this.rooms = new RoomOffice(here, act);
  }

  get state(): PeopleState {
    return this.#state.value;
  }

  subscribe(run: (state: PeopleState) => void): () => void {
    return this.#state.subscribe(run);
  }

  #mine(): Known {
    const home = this.#here();
    if (this.#known?.home !== home) {
      this.#known = { home, notices: new Notices(home), users: [], contacts: [], blocked: [] };
    }
    return this.#known;
  }

  leave(): void {
    this.#known = null;
    this.#state.set(NOBODY);
  }

  /** The application's state changed. */
  changed(change: Partial<AppState>): void {
    if (change.connection?.kind === 'online') {
      const { home } = this.#mine();
      this.refresh().catch((error: unknown) => home.failed(error));
    } else if (change.rooms !== undefined && this.#known !== null) {
      this.#draw();
    }
  }

  /** True: the list of rooms must be looked at. */
  heard({ kind, user }: Personal, payload: Uint8Array): boolean {
    const { home, notices } = this.#mine();
    try {
      if (kind === 'presence') home.people.saw(user, parsePresence(payload));
      else if (!notices.rang(payload)) {
        this.refresh().catch((error: unknown) => home.failed(error));
        return true;
      }
    } catch (error) {
      if (!(error instanceof BytesError) && !(error instanceof SchemaError)) throw error;
      home.failed(new ProblemError('bad_event', 'the box said something that does not read', ''));
    }
    this.#draw();
    return false;
  }

  /** Events of a room as they come. */
  news(room: RoomHandle, facts: readonly Fact[]): void {
    for (const alert of this.#mine().notices.alertsOf(room, facts)) {
      for (const run of this.#alerted) run(alert);
    }
  }

  onAlert(run: (alert: Alert) => void): () => void {
    this.#alerted.add(run);
    return () => void this.#alerted.delete(run);
  }

  // People

  async refresh(): Promise<void> {
    const known = this.#mine();
    const { api } = known.home.parts;
    const [users, contacts, blocked] = await Promise.all([
      everyone(known.home),
      api.contacts.list(),
      api.contacts.blocked(),
      known.notices.load(),
    ]);
    known.users = users;
    known.contacts = contacts;
    known.blocked = blocked;
    known.home.people.learn([...users, ...contacts.map(({ user }) => user), ...blocked]);
    this.#draw();
  }

  profile(person: string): Profile {
    const { home, contacts, blocked } = this.#mine();
    const { people, rooms, me } = home;
    const pin = rooms.trust.get(parseId(person))?.state ?? 'unverified';
    return {
      person: people.person(person),
      ...people.details(person),
      presence: people.seen(person)?.presence ?? null,
      contact: contacts.find(({ user }) => user.id === person)?.state ?? 'none',
      blocked: blocked.some(({ id }) => id === person),
      mayWrite:
        mayInHouse(people.person(me).role, 'makeRooms') ||
        rooms.all().some(({ room }) => room.directWith === person),
      pin: person === me ? 'self' : pin,
    };
  }

  /** Draws the state anew, once for many changes. */
  #draw(): void {
    if (this.#drawing) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      const known = this.#known;
      if (known === null) return;
      const ids = new Set([...known.users, ...known.blocked].map(({ id }) => id));
      ids.delete(known.home.me);
      const everyone = [...ids].map((id) => this.profile(id));
      const { notices, unread } = known.notices.list();
      this.#state.set({
        everyone: everyone.toSorted((a, b) => byName(a, b)),
        notices,
        unread,
        olderNotices: known.notices.older,
      });
    });
  }

  picture(avatar: string): Promise<Blob | null> {
    return this.#act(() => this.#faces.picture(avatar));
  }

  direct(person: string): Promise<string> {
    return this.#act(async () => {
      const { home } = this.#mine();
      const other = parseId(person);
      const there = home.rooms.all().find(({ room }) => room.directWith === other);
      if (there !== undefined) return there.room.id;
      const { api, sealing, clock, random } = home.parts;
      const id = newId(clock.now(), random(10));
      await home.keeper.meet(other);
      const rules = { type: 'direct', history: 'all', hints: false } as const;
      const bundle = await sealing.foundRoom(id, rules, clock.now(), [other]);
      const made = await api.rooms.direct(id, other, bundle);
      await home.rooms.sync();
      home.keepPins();
      return made.id;
    });
  }

  #contact(change: (known: Known) => Promise<unknown>): Promise<void> {
    return this.#act(async () => {
      const known = this.#mine();
      await change(known);
      await this.refresh();
    });
  }

  befriend(person: string): Promise<void> {
    return this.#contact(({ home }) => home.parts.api.contacts.put(parseId(person)));
  }

  part(person: string): Promise<void> {
    return this.#contact(({ home }) => home.parts.api.contacts.remove(parseId(person)));
  }

  block(person: string): Promise<void> {
    return this.#contact(({ home }) => home.parts.api.contacts.block(parseId(person)));
  }

  unblock(person: string): Promise<void> {
    return this.#contact(({ home }) => home.parts.api.contacts.unblock(parseId(person)));
  }

  compare(person: string): Promise<Comparison | null> {
    return this.#act(async () => {
      const { home } = this.#mine();
      await home.keeper.meet(parseId(person));
      return home.parts.sealing.comparison(parseId(person));
    });
  }

  checked(person: string, digits: string): Promise<void> {
    return this.#act(async () => {
      const { home } = this.#mine();
      const { sealing, clock } = home.parts;
      await sealing.checked(parseId(person), digits, clock.now());
      await home.keeper.pinsChanged();
      await home.rooms.look();
      home.keepPins();
      this.#draw();
    });
  }

  // Alerts

  async #noticed(change: (notices: Notices) => Promise<void>): Promise<void> {
    await this.#act(() => change(this.#mine().notices));
    this.#draw();
  }

  olderNotices(): Promise<void> {
    return this.#noticed((notices) => notices.loadOlder());
  }

  readNotice(id: string): Promise<void> {
    return this.#noticed((notices) => notices.read(id));
  }

  readAllNotices(): Promise<void> {
    return this.#noticed((notices) => notices.readAll());
  }
}

const byName = (a: Profile, b: Profile): number =>
  a.person.displayName.localeCompare(b.person.displayName);
