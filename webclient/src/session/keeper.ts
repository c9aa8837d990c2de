// A room's keys kept current: bundles fetched and judged, epochs made when they are due.
import type { Api } from '../api/api';
import { ApiError, isCode } from '../api/error';
import type { Device } from '../api/devices';
import type { Member, WaitingProof } from '../api/rooms';
import type { KeyStore } from '../local/keys';
import type { Id, InviteCode } from '../protocol/ids';
import { isRefusal } from '../sealing/refusal';
import type { KeyView, NextEpoch, Sealing } from '../sealing/requests';
import type { Chance, Clock } from './clock';

/** A member's client waits up to this long before it makes a due epoch. */
const DUE_MS_MAX = 5_000;
const TRIES = 6;
/** Clocks are not apart by more than a day. */
const AHEAD_MS_MAX = 24 * 3_600_000;
/** The room moved on between looking and making: look again. */
const RACED = [
  'epoch_taken',
  'lists_stranger',
  'drops_member',
  'drops_door',
  'drops_invite',
  'unknown_device',
  'unknown_invite',
  'old_card',
] as const;

/** Reasons of epochs that follow a new card. */
const AFTER_A_CARD: readonly string[] = ['card', 'due'];

/** The time of an epoch after one of `before`. */
function atOf(now: number, before: number): number {
  // A clock that was set back does not make an epoch older than the one before; a time that was
  // made up does not carry on.
  return before > now + AHEAD_MS_MAX ? now : Math.max(now, before);
}

/** What of a view others are told when it changes. */
const marksOf = ({ epoch, open, listed, split, changed, behind }: KeyView): string =>
  [epoch, open, listed, split, changed.join(' '), behind.join(' ')].join();

export interface KeeperDeps {
  readonly api: Api;
  readonly sealing: Sealing;
  readonly store: KeyStore;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly me: Id;
  /** A room's view changed: what waited for keys may open now. */
  readonly changed: (room: Id, view: KeyView) => void;
  readonly failed: (error: unknown) => void;
}

/** What the box says of a room's people and devices. */
export interface Company {
  readonly members: readonly Member[];
  readonly waiting: readonly WaitingProof[];
  readonly devices: readonly Device[];
}

export class Keeper {
  readonly #deps: KeeperDeps;
  readonly #views = new Map<Id, KeyView>();
  readonly #turns = new Map<Id, Promise<unknown>>();
  readonly #due = new Map<Id, () => void>();

  constructor(deps: KeeperDeps) {
    this.#deps = deps;
  }

  view(room: Id): KeyView | null {
    return this.#views.get(room) ?? null;
  }

  /** One thing at a time per room. */
  #inTurn<T>(room: Id, run: () => Promise<T>): Promise<T> {
    const before = this.#turns.get(room) ?? Promise.resolve();
    const turn = before.then(run, run);
    this.#turns.set(
      room,
      turn.catch(() => undefined),
    );
    return turn;
  }

  /** From what is kept here, without the network. */
  load(room: Id): Promise<KeyView | null> {
    return this.#inTurn(room, async () => {
      const bundles = await this.#deps.store.bundles(room);
      if (bundles.length === 0) return null;
      for (const user of await this.#deps.sealing.missingCards(bundles)) {
        await this.#deps.sealing.addCards(user, await this.#deps.store.cards(user));
      }
      await this.#take(room, bundles, 'kept').catch((error: unknown) => {
        // What is not believed any more, the box is asked for again.
        if (!isRefusal(error)) throw error;
      });
      return this.#look(room, await this.#deps.sealing.keyView(room));
    });
  }

  /** Fetches what is new and judges it. */
  refresh(room: Id): Promise<KeyView> {
    return this.#inTurn(room, () => this.#refresh(room));
  }

  async #refresh(room: Id): Promise<KeyView> {
    const { api, store, sealing } = this.#deps;
    const known = this.#views.get(room)?.epoch ?? 0;
    const served = await api.rooms.bundles(room, known);
    const bundles = served.map(({ bundle }) => bundle);
    await this.#learn(bundles);
    let view: KeyView;
    try {
      view = await this.#take(room, bundles, 'box');
    } finally {
      // Beside what was refused there may be good ones.
      const good = await sealing.accepted(room, bundles);
      await store.keepBundles(
        room,
        served.filter((_one, n) => good[n] === true),
      );
      this.#look(room, await sealing.keyView(room));
    }
    // Made after a card may have changed: whose, the cards say.
    const news = served.length > 0 && known > 0 && AFTER_A_CARD.includes(view.reason);
    return news ? this.#recheck(room, view.members) : view;
  }

  /** Fetches the cards of these people, and what that changes. */
  async #recheck(room: Id, users: readonly Id[]): Promise<KeyView> {
    await Promise.all(users.map((user) => this.#cards(user)));
    return this.#look(room, await this.#deps.sealing.keyView(room));
  }

  async #take(room: Id, bundles: readonly Uint8Array[], source: 'kept' | 'box'): Promise<KeyView> {
    const { sealing, clock } = this.#deps;
    return this.#look(room, await sealing.takeBundles(room, bundles, source, clock.now()));
  }

  #look(room: Id, view: KeyView): KeyView {
    const before = this.#views.get(room);
    this.#views.set(room, view);
    if (before === undefined || marksOf(before) !== marksOf(view)) this.#deps.changed(room, view);
    return view;
  }

  /** After pins changed: what that changes in each room. */
  async pinsChanged(): Promise<void> {
    for (const room of this.#views.keys()) {
      await this.#inTurn(room, async () =>
        this.#look(room, await this.#deps.sealing.keyView(room)),
      );
    }
  }

  async #learn(bundles: readonly Uint8Array[]): Promise<void> {
    if (bundles.length === 0) return;
    const missing = await this.#deps.sealing.missingCards(bundles);
    await Promise.all(missing.map((user) => this.#cards(user)));
  }

  /** Fetches a person's cards, for epochs that will list them. */
  meet(user: Id): Promise<void> {
    return this.#cards(user);
  }

  async #cards(user: Id): Promise<void> {
    const { api, sealing, store } = this.#deps;
    try {
      const cards = await api.users.cards(user);
      await sealing.addCards(user, cards);
      await store.keepCards(user, cards);
    } catch (error) {
      // The box hides who is blocked or not met, and somebody's card may not read: what is kept of
      // them goes on, and holds up nobody else.
      const hidden = error instanceof ApiError && error.status === 404;
      if (!hidden && !isRefusal(error)) throw error;
      const kept = await store.cards(user);
      if (kept.length > 0) await sealing.addCards(user, kept);
    }
  }

  /** A retained announcement on the room's `key` topic. */
  async heard(room: Id, announcement: Uint8Array): Promise<void> {
    if (await this.#deps.sealing.isNews(room, announcement)) await this.refresh(room);
  }

  async company(room: Id): Promise<Company> {
    const { api } = this.#deps;
    const [{ members, waiting }, devices] = await Promise.all([
      api.rooms.members(room),
      api.devices.list(room),
    ]);
    return { members, waiting, devices };
  }

  /** The request for the next epoch as things stand, with all cards it needs. */
  async request(room: Id, reason: string): Promise<NextEpoch> {
    const company = await this.company(room);
    const view = this.#views.get(room);
    const members = company.members.map(({ user }) => user.id);
    await Promise.all(members.map((user) => this.#cards(user)));
    return {
      room,
      members,
      waiting: company.waiting.filter(({ user }) => user !== this.#deps.me),
      devices: company.devices.map(({ id }) => id),
      reason,
      at: atOf(this.#deps.clock.now(), view?.at ?? 0),
      endInvites: await this.#revoked(room, view),
    };
  }

  /** Revoked invites: whoever makes the next epoch ends them. */
  async #revoked(room: Id, view: KeyView | undefined): Promise<InviteCode[]> {
    if (view === undefined || view.invites.length === 0) return [];
    return this.#deps.api.invites.revoked(room);
  }

  /**
   * Makes the next epoch, again when somebody was faster, until it stands or `needed` says that
   * what was wanted is there by now. `change`: what this person did, whatever the box says of it;
   * rejects if the new epoch still needs it.
   */
  rotate(
    room: Id,
    reason: string,
    needed: (view: KeyView) => boolean,
    change: (request: NextEpoch) => NextEpoch = (request) => request,
  ): Promise<KeyView> {
    return this.#inTurn(room, async () => {
      let view = await this.#refresh(room);
      for (let attempt = 0; needed(view); attempt++) {
        const request = change(await this.request(room, reason));
        const { bundle, members } = await this.#deps.sealing.nextEpoch(request);
        // Nobody new has a card or a proof that holds: an epoch would help nobody.
        const known = new Set(view.members);
        if (reason === 'added' && members.every((user) => known.has(user))) return view;
        try {
          await this.#deps.api.rooms.putBundle(room, bundle);
        } catch (error) {
          if (!isCode(error, ...RACED) || attempt >= TRIES) throw error;
          view = await this.#refresh(room);
          continue;
        }
        const made = await this.#refresh(room);
        if (needed(made)) throw new Error('the new key was made, and not for what it was made for');
        return made;
      }
      return view;
    });
  }

  /**
   * Runs `make` in the turns of these rooms with fresh requests, again when somebody was faster;
   * after it the new epochs are fetched.
   */
  withRequests<T>(
    rooms: readonly Id[],
    reason: string,
    make: (requests: NextEpoch[]) => Promise<T>,
  ): Promise<T> {
    const run = async (): Promise<T> => {
      for (let attempt = 0; ; attempt++) {
        for (const room of rooms) await this.#refresh(room);
        const requests: NextEpoch[] = [];
        for (const room of rooms) requests.push(await this.request(room, reason));
        try {
          const made = await make(requests);
          for (const room of rooms) await this.#refresh(room);
          return made;
        } catch (error) {
          if (!isCode(error, ...RACED) || attempt >= TRIES) throw error;
        }
      }
    };
    // Always taken in the same order, so that two of these cannot wait for each other.
    const ordered = rooms.toSorted().reverse();
    const all = ordered.reduce<() => Promise<T>>(
      (inner, room) => () => this.#inTurn(room, inner),
      run,
    );
    return all();
  }

  /** A newcomer lists himself; does nothing where he is listed or the key is not here. */
  joinByProof(room: Id): Promise<KeyView> {
    return this.rotate(room, 'joined', (view) => view.open && !view.listed && !view.split);
  }

  /** Whether anything waits for a member's client: a removal, or newcomers with proofs. */
  async #isDue(room: Id): Promise<string | null> {
    const view = this.#views.get(room);
    if (view === undefined || view.split) return null;
    if (!view.open) return view.mayBuild ? 'due' : null;
    const mine = view.behind.includes(this.#deps.me);
    if (!view.listed && !mine) return null;
    if (mine || view.behind.length > 0) return 'card';
    if (view.dueAt <= this.#deps.clock.now()) return 'due';
    const [{ rotationDue }, { members, waiting }] = await Promise.all([
      this.#deps.api.rooms.get(room),
      this.#deps.api.rooms.members(room),
    ]);
    if (rotationDue) return 'due';
    const unlisted = (user: Id): boolean => !view.members.includes(user);
    const proven = waiting.some(({ user, code }) => unlisted(user) && view.invites.includes(code));
    if (proven) return 'added';
    const open = view.rules?.type === 'public' && members.some(({ user }) => unlisted(user.id));
    return open ? 'added' : null;
  }

  /** Whether the next epoch is due by what is known here: its age, an invite, a card, no key. */
  isDueByItself(room: Id): boolean {
    const view = this.#views.get(room);
    if (view === undefined) return false;
    const closed = !view.open && view.mayBuild;
    return closed || view.behind.length > 0 || view.dueAt <= this.#deps.clock.now();
  }

  /** After a random wait makes the epoch that is due, if it still is. */
  watch(room: Id): void {
    if (this.#due.has(room)) return;
    const wait = Math.floor(this.#deps.chance() * DUE_MS_MAX);
    const cancel = this.#deps.clock.after(wait, () => {
      this.#due.delete(room);
      this.settle(room).catch(this.#deps.failed);
    });
    this.#due.set(room, cancel);
  }

  /** Makes the epoch that is due, at once. */
  async settle(room: Id): Promise<void> {
    await this.refresh(room);
    const reason = await this.#isDue(room);
    if (reason === null) return;
    const seen = this.#views.get(room)?.epoch ?? 0;
    await this.rotate(room, reason, (view) => {
      const may = view.listed || view.behind.includes(this.#deps.me);
      return view.epoch === seen && may && !view.split;
    });
  }

  stop(): void {
    for (const cancel of this.#due.values()) cancel();
    this.#due.clear();
  }
}
