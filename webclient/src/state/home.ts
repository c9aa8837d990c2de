// The signed-in part: rooms, their keys and history, what is on its way, the connection.
import { ApiError } from '../api/error';
import { room as roomParser, type Room } from '../api/rooms';
import { BytesError } from '../protocol/bytes';
import { parseOut } from '../protocol/item';
import { isId, type Id } from '../protocol/ids';
import { list, SchemaError } from '../protocol/schema';
import { parseTopic, roomIn } from '../protocol/topic';
import type { KeyView } from '../sealing/requests';
import type { PinState } from '../sealing/vault';
import { Connection, type ConnectionState } from '../session/connection';
import type { Fact } from '../session/fact';
import { Keeper } from '../session/keeper';
import { Outbox } from '../session/outbox';
import { RoomLog } from '../session/room_log';
import type { LinkLogin, Subscriptions } from '../session/transport';
import type { Parts } from './deps';
import type { Arrival } from './entrance';
import type { AppState, RoomSummary } from './model';
import { People } from './people';
import { ProblemError } from './problem';
import { kept, sortRooms, summaryOf, viewOf, type RoomContext, type RoomHandle } from './room';
import { VaultSync } from './vault_sync';

export interface HomeEvents {
  readonly changed: (change: Partial<AppState>) => void;
  readonly failed: (error: unknown) => void;
  /** The login was ended elsewhere. */
  readonly ended: () => void;
}

export class Home {
  readonly parts: Parts;
  readonly me: Id;
  readonly people = new People();
  readonly keeper: Keeper;
  readonly outbox: Outbox;
  readonly #events: HomeEvents;
  readonly #rooms = new Map<Id, RoomHandle>();
  readonly #connection: Connection;
  readonly #vault: VaultSync;
  #writer = 0;
  #joining: readonly Id[];
  #current: Id | null = null;
  #pins: ReadonlyMap<Id, PinState> = new Map();
  #drawing = false;
  #shown: readonly RoomSummary[] = [];
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | null = null;
  #stopped = false;

  constructor(parts: Parts, arrival: Arrival, events: HomeEvents) {
    this.parts = parts;
    this.me = arrival.user.id;
    this.#events = events;
    this.#joining = arrival.joining;
    this.people.learn([arrival.user]);
    const { api, sealing, clock, chance, login, transport, network } = parts;
    const failed = (error: unknown): void => this.failed(error);
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
    this.outbox = new Outbox({
      store: parts.outboxStore,
      clock,
      isOnline: () => this.#connection.state.kind === 'online',
      payload: (entry, seq) => this.#payload(entry, seq),
      isNumbered: (room) => this.#rooms.get(room)?.room.sealing !== 'open',
      publish: (room, payload) => this.#connection.publish(roomIn(room), payload),
      refreshKeys: async (room) => void (await this.keeper.refresh(room)),
      rotate: (room) => this.keeper.settle(room),
      changed: () => this.draw(),
    });
    this.#connection = new Connection({
      transport,
      clock,
      chance,
      login: (renew) => this.#linkLogin(renew),
      subscriptions: () => this.#subscriptions(),
      hasNetwork: () => network.online(),
      changed: (state) => this.#connectionChanged(state),
      message: (topic, payload) => this.#heard(topic, payload),
      ended: events.ended,
    });
    network.onChange(() => this.#connection.networkChanged());
  }

  get online(): boolean {
    return this.#connection.state.kind === 'online';
  }

  /** What is kept here first, then the box. */
  async start(): Promise<void> {
    const { login, random, leadership, history } = this.parts;
    this.#writer = await login.writer(random);
    await this.#loadRooms(await history.rooms());
    await this.outbox.load();
    this.draw();
    leadership.start(
      () => this.#connection.start(),
      () => this.#connection.yieldTo('other_tab', 'Hearth is open in another tab'),
    );
  }

  stop(): void {
    this.#stopped = true;
    this.parts.leadership.stop();
    this.#connection.stop();
    this.outbox.stop();
    this.keeper.stop();
    this.#vault.stop();
  }

  /** What went wrong by itself; a network that is away is told by the connection. */
  failed(error: unknown): void {
    if (this.#stopped || (error instanceof ApiError && error.code === 'offline')) return;
    this.#events.failed(error);
  }

  // Rooms

  handle(id: string): RoomHandle {
    const found = isId(id) ? this.#rooms.get(id) : undefined;
    if (found === undefined) throw new ProblemError('not_found', 'this room is not here', '');
    return found;
  }

  general(): RoomHandle | null {
    return [...this.#rooms.values()].find(({ room }) => room.general) ?? null;
  }

  get current(): RoomHandle | null {
    return this.#current === null ? null : (this.#rooms.get(this.#current) ?? null);
  }

  async #loadRooms(kept: unknown): Promise<void> {
    if (kept === undefined) return;
    try {
      for (const room of list(roomParser)(kept, 'rooms')) {
        const handle = this.#ensure(room);
        if (room.sealing === 'sealed') await this.keeper.load(room.id);
        await handle.log.load();
      }
    } catch (error) {
      // Kept by another version of this program: the box has it all.
      if (!(error instanceof SchemaError)) throw error;
    }
  }

  #ensure(room: Room): RoomHandle {
    const known = this.#rooms.get(room.id);
    if (known !== undefined) {
      // Once seen sealed, a room is sealed for this client for ever.
      const sealing = known.room.sealing === 'sealed' ? 'sealed' : room.sealing;
      known.room = { ...room, sealing };
      known.log.setFirst(room.firstPosition);
      return known;
    }
    const log = new RoomLog(room.id, {
      api: this.parts.api.messages,
      store: this.parts.history,
      sealing: this.parts.sealing,
      arrived: (id, facts) => this.#arrived(id, facts),
      changed: () => this.draw(),
      failed: (error) => this.failed(error),
    });
    log.setFirst(room.firstPosition);
    const made: RoomHandle = { room, log, company: null, loadingOlder: false };
    this.#rooms.set(room.id, made);
    return made;
  }

  /** The rooms as the box has them, with their keys and what was written meanwhile. */
  sync(): Promise<void> {
    // One that runs may have looked already: whoever asks gets one that begins after asking.
    this.#nextSync ??= this.#syncing.then(() => {
      this.#nextSync = null;
      const running = this.#sync();
      this.#syncing = running.catch(() => undefined);
      return running;
    });
    return this.#nextSync;
  }

  async #sync(): Promise<void> {
    const rooms = await this.parts.api.rooms.list();
    const here = new Set(rooms.map(({ id }) => id));
    for (const id of [...this.#rooms.keys()]) if (!here.has(id)) this.#rooms.delete(id);
    const handles = rooms.map((room) => this.#ensure(room));
    await this.parts.history.keepRooms(rooms.map((room) => keptRoom(this.#ensure(room).room)));
    for (const handle of handles) await this.#syncRoom(handle);
    this.#joining = [];
    this.draw();
  }

  async #syncRoom(handle: RoomHandle): Promise<void> {
    const { id, sealing, rotationDue } = handle.room;
    try {
      if (sealing === 'sealed') {
        await this.keeper.refresh(id);
        if (this.#joining.includes(id)) await this.keeper.joinByProof(id);
        if (rotationDue) this.keeper.watch(id);
      }
      await handle.log.begin();
      await this.company(handle);
      this.#vault.soon();
      this.#watchNewcomers(handle);
    } catch (error) {
      this.failed(error);
    }
  }

  /** Who is in a room, and which devices. */
  async company(handle: RoomHandle): Promise<void> {
    handle.company = await this.keeper.company(handle.room.id);
    this.people.learn(handle.company.members.map(({ user }) => user));
    this.#pins = await this.parts.sealing.pins();
    this.draw();
  }

  #watchNewcomers({ room, company }: RoomHandle): void {
    const view = this.keeper.view(room.id);
    if (room.sealing === 'open' || view === null || company === null) return;
    const unlisted = company.members.some(({ user }) => !view.members.includes(user.id));
    if (view.listed && unlisted) this.keeper.watch(room.id);
  }

  async open(id: string): Promise<void> {
    const handle = this.handle(id);
    this.#current = handle.room.id;
    this.draw();
    await handle.log.markRead();
    this.draw();
    if (this.online) await this.company(handle).catch((error: unknown) => this.failed(error));
  }

  close(): void {
    if (this.#current === null) return;
    this.#current = null;
    this.draw();
  }

  async older(): Promise<void> {
    const handle = this.current;
    if (handle === null || handle.loadingOlder) return;
    handle.loadingOlder = true;
    this.draw();
    try {
      await handle.log.older();
    } finally {
      handle.loadingOlder = false;
      this.draw();
    }
  }

  // What comes

  #heard(topic: string, payload: Uint8Array): void {
    const heard = parseTopic(topic);
    if (heard === null || heard.kind === 'status') return;
    if (heard.kind === 'inbox') return this.#resync();
    const handle = this.#rooms.get(heard.room);
    if (handle === undefined) return this.#resync();
    if (heard.kind === 'key') {
      this.keeper.heard(heard.room, payload).catch((error: unknown) => this.failed(error));
      return;
    }
    try {
      handle.log.take(parseOut(payload, handle.room.sealing));
    } catch (error) {
      if (!(error instanceof BytesError) && !(error instanceof SchemaError)) throw error;
      // Not what this room's events look like: the box's mistake, or worse; nothing is shown.
      this.failed(new ProblemError('bad_event', 'the box sent an event that does not read', ''));
    }
  }

  #resync(): void {
    this.sync().catch((error: unknown) => this.failed(error));
  }

  #arrived(room: Id, facts: readonly Fact[]): void {
    for (const fact of facts) {
      if (fact.kind === 'event' && fact.sender === this.me) {
        void this.outbox.echo(room, fact.id, fact.number?.seq ?? null);
      }
      if (fact.kind === 'event' && !this.people.has(fact.sender)) this.#lookAround(room);
      if (fact.kind === 'line' || (fact.kind === 'post' && !this.#knowsDevice(room, fact.device))) {
        this.#lookAround(room);
      }
    }
    if (this.#current === room) {
      void this.#rooms
        .get(room)
        ?.log.markRead()
        .then(() => this.draw());
    }
  }

  #knowsDevice(room: Id, device: Id): boolean {
    return this.#rooms.get(room)?.company?.devices.some(({ id }) => id === device) === true;
  }

  /** Somebody came, went or is not known yet. */
  #lookAround(room: Id): void {
    const handle = this.#rooms.get(room);
    if (handle === undefined) return;
    const look = async (): Promise<void> => {
      if (handle.room.sealing === 'sealed') await this.keeper.refresh(room);
      handle.room = { ...handle.room, ...(await this.parts.api.rooms.get(room)) };
      await this.company(handle);
      if (handle.room.rotationDue && handle.room.sealing === 'sealed') this.keeper.watch(room);
      this.#watchNewcomers(handle);
    };
    look().catch((error: unknown) => {
      // Somebody else's removal may have been mine: the list of rooms knows.
      if (error instanceof ApiError && error.status === 404) this.#resync();
      else this.failed(error);
    });
  }

  #keysChanged(room: Id, view: KeyView): void {
    const handle = this.#rooms.get(room);
    if (handle !== undefined && view.open) void handle.log.reopen();
    this.outbox.wake(room);
    this.#vault.soon();
    this.draw();
  }

  // What goes

  async #payload(
    entry: {
      readonly id: Id;
      readonly room: Id;
      readonly body: Uint8Array;
      readonly target: Id | null;
    },
    seq: number,
  ): Promise<Uint8Array | null> {
    const handle = this.#rooms.get(entry.room);
    if (handle === undefined) return null;
    if (handle.room.sealing === 'open') return entry.body;
    const view = this.keeper.view(entry.room);
    if (view === null || !view.open || !view.listed || view.split) return null;
    const { id, room, target, body } = entry;
    const kind = target === null ? 1 : 2;
    return this.parts.sealing.seal({ room, id, writer: this.#writer, seq, kind, target, body });
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
    const handles = [...this.#rooms.values()].filter(({ log }) => log.high > 0);
    return { me: this.me, after: handles.map(({ room, log }) => [room.id, log.high] as const) };
  }

  #connectionChanged(state: ConnectionState): void {
    this.#events.changed({ connection: state });
    if (state.kind !== 'online') return;
    const catchUp = async (): Promise<void> => {
      await this.#vault.fetch();
      await this.sync();
      this.outbox.wakeAll();
    };
    this.outbox.wakeAll();
    catchUp().catch((error: unknown) => this.failed(error));
  }

  takeOver(): void {
    this.parts.leadership.takeOver();
  }

  // What is shown

  #context(handle: RoomHandle): RoomContext {
    return {
      me: this.me,
      people: this.people,
      pins: this.#pins,
      keys: this.keeper.view(handle.room.id),
      outgoing: this.outbox.items(handle.room.id),
    };
  }

  /** Draws the state anew, once for many changes. */
  draw(): void {
    if (this.#drawing || this.#stopped) return;
    this.#drawing = true;
    queueMicrotask(() => {
      this.#drawing = false;
      if (this.#stopped) return;
      const { current } = this;
      const summaries = [...this.#rooms.values()].map((one) => summaryOf(one, this.#context(one)));
      this.#events.changed({
        rooms: (this.#shown = kept(this.#shown, sortRooms(summaries))),
        currentRoom: current === null ? null : viewOf(current, this.#context(current)),
        waiting: this.outbox.waiting(),
      });
    });
  }
}

/** A room as the API gives it, so that what is kept reads back through the same parser. */
function keptRoom(room: Room): Record<string, unknown> {
  const { lastMessageAt, headPosition, firstPosition, myRole, rotationDue, ...rest } = room;
  return {
    ...rest,
    last_message_at: lastMessageAt,
    head_position: headPosition,
    first_position: firstPosition,
    my_role: myRole,
    rotation_due: rotationDue,
  };
}
