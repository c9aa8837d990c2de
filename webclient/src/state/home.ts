// The signed-in part: rooms, their keys and history, what is on its way, the connection.
import { ApiError } from '../api/error';
import type { Entry } from '../local/outbox';
import { BytesError } from '../protocol/bytes';
import { parseOut } from '../protocol/item';
import { isId, type Id } from '../protocol/ids';
import { SchemaError } from '../protocol/schema';
import * as topic from '../protocol/topic';
import { isReady, type KeyView } from '../sealing/requests';
import { Connection, type ConnectionState } from '../session/connection';
import type { Fact } from '../session/fact';
import { Keeper } from '../session/keeper';
import { Outbox } from '../session/outbox';
import type { Uploads } from '../session/uploads';
import type { LinkLogin, Subscriptions } from '../session/transport';
import type { Parts } from './deps';
import { Drawing } from './drawing';
import type { Arrival } from './entrance';
import { FirstRoom } from './first_room';
import { Library } from './library';
import { Live } from './live';
import type { AppState } from './model';
import { OpenRoom } from './open_room';
import { payloadOf } from './payload';
import { People } from './people';
import { ProblemError } from './problem';
import { Rooms } from './rooms';
import type { RoomContext, RoomHandle } from './room';
import { summaryOf } from './summary';
import { VaultSync } from './vault_sync';

export interface HomeEvents {
  readonly changed: (change: Partial<AppState>) => void;
  readonly failed: (error: unknown) => void;
  /** The login was ended elsewhere. */
  readonly ended: () => void;
  /** A doorbell or somebody's presence; true: the list of rooms must be looked at. */
  readonly personal: (heard: Personal, payload: Uint8Array) => boolean;
  /** New events of a room, opened, as they come. */
  readonly news: (room: RoomHandle, facts: readonly Fact[]) => void;
  readonly uploads: (home: Home) => Uploads;
}

/** What comes for the person and not for a room. */
export type Personal = Extract<topic.Heard, { kind: 'inbox' | 'presence' }>;

export class Home {
  readonly parts: Parts;
  readonly me: Id;
  readonly people = new People();
  readonly keeper: Keeper;
  readonly outbox: Outbox;
  readonly rooms: Rooms;
  readonly live: Live;
  readonly uploads: Uploads;
  readonly library: Library;
  readonly #events: HomeEvents;
  readonly #connection: Connection;
  readonly #vault: VaultSync;
  readonly #open: OpenRoom;
  readonly #drawing: Drawing;
  readonly #first = new FirstRoom();
  #writer = 0;
  #leads = false;
  #stopped = false;

  constructor(parts: Parts, arrival: Arrival, events: HomeEvents) {
    this.parts = parts;
    this.me = arrival.user.id;
    this.#events = events;
    this.people.learn([arrival.user]);
    const { api, sealing, clock, chance, login, transport, network } = parts;
    const failed = (error: unknown): void => this.failed(error);
    this.#drawing = new Drawing({
      current: () => this.current,
      begin: (current) => this.#open.begin(current),
      context: (current) => this.#context(current),
      summaries: () => this.rooms.all().map((one) => summaryOf(one, this.people, this.me)),
      waiting: () => this.outbox.waiting(),
      changed: events.changed,
    });
    this.#open = new OpenRoom({
      attention: parts.attention,
      need: (id) => this.rooms.need(id),
      find: (id) => this.rooms.get(id),
      library: () => this.library,
      receipts: () => this.live.receipts,
      changed: () => this.draw(),
      failed,
    });
    this.#vault = new VaultSync({ users: api.users, sealing, login, clock, me: this.me, failed });
    this.keeper = new Keeper({
      api,
      sealing,
      store: parts.keyStore,
      clock,
      chance,
      me: this.me,
      changed: (room, view) => this.#keysChanged(room, view),
      failed,
    });
    this.live = new Live({
      parts,
      me: this.me,
      writer: () => this.#writer,
      connection: () => this.#connection,
      handle: (room) => this.rooms.get(room),
      isSealed: (room) => this.#isSealed(room),
      changed: () => this.draw(),
      failed,
    });
    this.rooms = new Rooms({
      parts,
      keeper: this.keeper,
      people: this.people,
      joining: arrival.joining,
      readElsewhere: (room) => this.live.receipts.of(room, this.me)?.read ?? null,
      arrived: (room, facts) => this.#arrived(room, facts),
      changed: () => this.draw(),
      failed,
    });
    this.library = new Library({
      parts,
      me: this.me,
      people: this.people,
      rooms: () => this.rooms.all(),
      current: () => this.current,
      online: () => this.online,
      changed: () => this.draw(),
      failed,
    });
    this.outbox = new Outbox({
      store: parts.outboxStore,
      clock,
      isOnline: () => this.#connection.state.kind === 'online',
      payload: (entry, seq) => this.#payload(entry, seq),
      isNumbered: (room) => this.rooms.get(room)?.room.sealing !== 'open',
      publish: (room, payload) => this.#connection.publish(topic.roomIn(room), payload),
      refreshKeys: async (room) => void (await this.keeper.refresh(room)),
      rotate: (room) => this.keeper.settle(room),
      written: (id) => parts.leadership.tell(id),
      changed: () => {
        this.uploads.look();
        this.draw();
      },
    });
    this.uploads = events.uploads(this);
    this.#connection = new Connection({
      transport,
      clock,
      chance,
      login: (renew) => this.#linkLogin(renew),
      subscriptions: () => this.#subscriptions(),
      hasNetwork: () => network.online(),
      changed: (state) => this.#connectionChanged(state),
      message: (name, payload) => this.#heard(name, payload),
      ended: events.ended,
    });
    network.onChange(() => this.#connection.networkChanged());
  }

  get online(): boolean {
    return this.#connection.state.kind === 'online';
  }

  /** What is kept here first, then the box. */
  async start(): Promise<void> {
    const { login, random, leadership, clock, attention } = this.parts;
    this.#writer = await login.writer(random);
    await this.rooms.load();
    await this.outbox.load();
    await this.#echoKept();
    if (this.rooms.all().length === 0) {
      const read = (): Promise<void> => this.rooms.first().catch((error) => this.failed(error));
      this.#first.begin(read, clock, attention);
    }
    this.draw();
    leadership.start(
      () => void this.#lead().catch((error: unknown) => this.failed(error)),
      () => {
        this.#leads = false;
        this.uploads.pause();
        this.#connection.yieldTo('other_tab', 'Hearth is open in another tab');
      },
      (id) => {
        if (!isId(id)) return;
        this.outbox.takeUp(id).catch((error: unknown) => this.failed(error));
      },
    );
    const looked = (): void => {
      if (attention.seen() && !this.#stopped) leadership.looked();
    };
    attention.onChange(looked);
    looked();
    await this.#first.ready;
  }

  /** What the history kept here has was sent: a page may end between the one and the other. */
  async #echoKept(): Promise<void> {
    for (const { room, log } of this.rooms.all()) {
      for (const fact of log.newest()) {
        if (fact.kind !== 'event' || fact.sender !== this.me) continue;
        await this.outbox.echo(room.id, fact.id, fact.number?.seq ?? null);
      }
    }
  }

  /** This tab holds the connection now; the one before may have sent what lay here. */
  async #lead(): Promise<void> {
    this.#leads = true;
    await this.outbox.load();
    // One after the other: what is there to be read comes before what is new.
    await this.#first.drawn;
    if (this.#leads && !this.#stopped) this.#connection.start();
  }

  stop(): void {
    this.#stopped = true;
    this.#drawing.stop();
    this.#open.stop();
    this.parts.leadership.stop();
    this.#connection.stop();
    this.outbox.stop();
    this.uploads.stop();
    this.keeper.stop();
    this.live.stop();
    this.library.indexer.stop();
    this.#vault.stop();
  }

  /** What went wrong by itself; a network that is away is told by the connection. */
  failed(error: unknown): void {
    if (this.#stopped || (error instanceof ApiError && error.code === 'offline')) return;
    this.#events.failed(error);
  }

  get current(): RoomHandle | null {
    return this.#open.handle;
  }

  async open(id: string): Promise<void> {
    const handle = await this.#open.open(id);
    if (this.online) await this.rooms.company(handle).catch((error: unknown) => this.failed(error));
  }

  close(): void {
    this.#open.close();
  }

  // What comes

  #heard(name: string, payload: Uint8Array): void {
    const heard = topic.parseTopic(name);
    if (heard === null || heard.kind === 'status') return;
    if (heard.kind === 'inbox' || heard.kind === 'presence') {
      if (this.#events.personal(heard, payload)) this.rooms.resync();
      else if (heard.kind === 'presence') this.draw();
      return;
    }
    if (heard.kind === 'live' || heard.kind === 'receipts') return this.live.heard(heard, payload);
    const handle = this.rooms.get(heard.room);
    if (handle === null) return this.rooms.resync();
    if (heard.kind === 'key') {
      this.keeper.heard(heard.room, payload).catch((error: unknown) => this.failed(error));
      return;
    }
    try {
      const item = parseOut(payload);
      // Sealed a moment ago: the list of rooms does not say so yet.
      if (item.kind === 'sealed' && handle.room.sealing === 'open') this.rooms.resync();
      handle.log.take(item);
    } catch (error) {
      if (!(error instanceof BytesError) && !(error instanceof SchemaError)) throw error;
      // Not what this room's events look like: the box's mistake, or worse; nothing is shown.
      this.failed(new ProblemError('bad_event', 'the box sent an event that does not read', ''));
    }
  }

  /** Null: the room is not here, or its key is not. */
  #isSealed(room: Id): boolean | null {
    const handle = this.rooms.get(room);
    if (handle === null) return null;
    if (handle.room.sealing === 'open') return false;
    const view = this.keeper.view(room);
    return view !== null && isReady(view) ? true : null;
  }

  #arrived(room: Id, facts: readonly Fact[]): void {
    const failed = (error: unknown): void => this.failed(error);
    this.library.indexer.arrived(room, facts);
    for (const fact of facts) {
      if (fact.kind === 'event' && fact.sender === this.me) {
        this.outbox.echo(room, fact.id, fact.number?.seq ?? null).catch(failed);
      }
      if (fact.kind === 'event') this.live.typing.ended(room, fact.sender);
      if (fact.kind === 'event' && !this.people.has(fact.sender)) this.rooms.lookAround(room);
      if (
        fact.kind === 'line' ||
        (fact.kind === 'post' && !this.rooms.knowsDevice(room, fact.device))
      ) {
        this.rooms.lookAround(room);
      }
    }
    const handle = this.rooms.get(room);
    if (handle !== null) this.#events.news(handle, facts);
    if (this.#open.is(room)) this.#open.seen(false);
  }

  #keysChanged(room: Id, view: KeyView): void {
    this.rooms.believe(room);
    const log = view.open ? this.rooms.get(room)?.log : undefined;
    if (view.open) this.library.indexer.reopened(room);
    log?.reopen().catch((error: unknown) => this.failed(error));
    this.outbox.wake(room);
    this.#vault.soon();
    this.rooms.look().catch((error: unknown) => this.failed(error));
  }

  // What goes

  #payload(entry: Entry, seq: number): Promise<Uint8Array | null> {
    return payloadOf(entry, seq, {
      sealing: this.parts.sealing,
      handle: this.rooms.get(entry.room),
      sealed: this.#isSealed(entry.room),
      keys: this.keeper.view(entry.room),
      writer: this.#writer,
    });
  }

  // The connection

  async #linkLogin(renew: boolean): Promise<LinkLogin | null> {
    const { tokens } = this.parts;
    const token = renew ? await tokens.renew() : await tokens.fresh();
    if (token === null) return null;
    const { name } = this.people.person(this.me);
    const clientId = `web-${this.#writer.toString(16).padStart(8, '0')}`;
    return { clientId, username: name, password: token };
  }

  async #subscriptions(): Promise<Subscriptions> {
    // What was read before they stand is part of what they go on from.
    await this.#first.read;
    const handles = this.rooms.all().filter(({ log }) => log.begun);
    return { me: this.me, after: handles.map(({ room, log }) => [room.id, log.high] as const) };
  }

  #connectionChanged(state: ConnectionState): void {
    this.#events.changed({ connection: state });
    if (state.kind !== 'online') return;
    const catchUp = async (): Promise<void> => {
      await this.#vault.fetch();
      await this.rooms.sync();
      this.outbox.wakeAll();
      this.library.indexer.wake();
    };
    this.outbox.wakeAll();
    this.live.receipts.wake();
    this.uploads.wake();
    catchUp().catch((error: unknown) => this.failed(error));
  }

  /** A pin was set: the vault follows. */
  keepPins(): void {
    this.#vault.soon();
  }

  /** What another browser wrote into the vault. */
  fetchVault(): Promise<void> {
    return this.#vault.fetch();
  }

  takeOver(): void {
    this.parts.leadership.takeOver();
  }

  // What is shown

  #context(handle: RoomHandle): RoomContext {
    return {
      me: this.me,
      people: this.people,
      trust: this.rooms.trust,
      keys: this.keeper.view(handle.room.id),
      outgoing: this.outbox.items(handle.room.id),
      receipts: this.live.receipts,
      typing: this.live.typing.in(handle.room.id),
    };
  }

  /** Draws the state anew, once for many changes. */
  draw(): void {
    this.#drawing.ask();
  }
}
