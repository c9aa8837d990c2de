// The rooms one is in: kept here first, then as the box has them, with keys, people and devices.
import { ApiError } from '../api/error';
import { room as roomParser, type Room } from '../api/rooms';
import { isId, type Id } from '../protocol/ids';
import { readable } from '../protocol/schema';
import type { Trust } from '../sealing/requests';
import type { Fact } from '../session/fact';
import type { Keeper } from '../session/keeper';
import { RoomLog } from '../session/room_log';
import type { Parts } from './deps';
import type { People } from './people';
import { ProblemError } from './problem';
import { begun } from './reading';
import { besideNothing } from './thread';
import type { RoomHandle } from './room';

export interface RoomsDeps {
  readonly parts: Parts;
  readonly keeper: Keeper;
  readonly people: People;
  /** Sealed rooms in which the newcomer still lists himself. */
  readonly joining: readonly Id[];
  /** How far this person has read a room with any of their browsers; null: unknown. */
  readonly readElsewhere: (room: Id) => number | null;
  readonly arrived: (room: Id, facts: readonly Fact[]) => void;
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

export class Rooms {
  readonly #deps: RoomsDeps;
  readonly #handles = new Map<Id, RoomHandle>();
  #joining: readonly Id[];
  #trust: ReadonlyMap<Id, Trust> = new Map();
  #syncing: Promise<void> = Promise.resolve();
  #nextSync: Promise<void> | null = null;

  constructor(deps: RoomsDeps) {
    this.#deps = deps;
    this.#joining = deps.joining;
  }

  get trust(): ReadonlyMap<Id, Trust> {
    return this.#trust;
  }

  all(): RoomHandle[] {
    return [...this.#handles.values()];
  }

  get(id: Id): RoomHandle | null {
    return this.#handles.get(id) ?? null;
  }

  /** The room of an id that a screen names. */
  need(id: string): RoomHandle {
    const found = isId(id) ? this.get(id) : null;
    if (found === null) throw new ProblemError('not_found', 'this room is not here', '');
    return found;
  }

  general(): RoomHandle | null {
    return this.all().find(({ room }) => room.general) ?? null;
  }

  /** From what is kept here. */
  async load(): Promise<void> {
    const { parts, keeper, failed } = this.#deps;
    const kept = await parts.history.rooms();
    if (!Array.isArray(kept)) return;
    const sealed = new Set(await parts.sealing.sealedRooms());
    // What another version of this program kept may not read: the box has it all.
    for (const room of readable(roomParser)(kept, 'rooms')) {
      const handle = this.#ensure(room, sealed);
      try {
        if (handle.room.sealing === 'sealed') await keeper.load(room.id);
        await handle.log.load();
      } catch (error) {
        failed(error);
      }
    }
  }

  /** `sealed`: the rooms whose keys this person knows, whatever the box says of them. */
  #ensure(room: Room, sealed: ReadonlySet<Id>): RoomHandle {
    const known = this.#handles.get(room.id);
    // Once seen sealed, a room is sealed for this client for ever.
    const seen = known?.room.sealing === 'sealed' || sealed.has(room.id);
    const sealing = seen ? 'sealed' : room.sealing;
    if (known !== undefined) {
      known.room = { ...room, sealing };
      known.log.setFirst(room.firstPosition);
      this.believe(room.id);
      return known;
    }
    const { parts, arrived, changed, failed, readElsewhere } = this.#deps;
    const isSealed = (): boolean => this.#handles.get(room.id)?.room.sealing !== 'open';
    const log = new RoomLog(room.id, {
      api: parts.api.messages,
      store: parts.history,
      sealing: parts.sealing,
      isSealed,
      readElsewhere: () => readElsewhere(room.id),
      arrived,
      changed,
      failed,
    });
    log.setFirst(room.firstPosition);
    const made: RoomHandle = {
      room: { ...room, sealing },
      log,
      company: null,
      place: begun(),
      beside: besideNothing(),
      readTo: null,
    };
    this.#handles.set(room.id, made);
    this.believe(room.id);
    return made;
  }

  /**
   * The general room alone, where nothing is kept here: it is read while the connection still comes
   * about. The others come with `sync`, which waits for it.
   */
  first(): Promise<void> {
    const running = this.#first();
    this.#syncing = running.catch(() => undefined);
    return running;
  }

  async #first(): Promise<void> {
    const [rooms, sealed] = await this.#listed();
    for (const room of rooms) this.#ensure(room, sealed);
    const general = this.general();
    if (general !== null) await this.#syncRoom(general);
  }

  async #listed(): Promise<readonly [readonly Room[], ReadonlySet<Id>]> {
    const { api, sealing } = this.#deps.parts;
    const [rooms, sealed] = await Promise.all([api.rooms.list(), sealing.sealedRooms()]);
    return [rooms, new Set(sealed)];
  }

  /** What a sealed room is, its members have signed: not what the box says of it. */
  believe(room: Id): void {
    const handle = this.#handles.get(room);
    const rules = this.#deps.keeper.view(room)?.rules;
    if (handle === undefined || handle.room.sealing === 'open' || rules == null) return;
    const { type, history } = rules;
    handle.room = { ...handle.room, type, history };
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
    const { parts, changed } = this.#deps;
    const [rooms, sealed] = await this.#listed();
    const here = new Set(rooms.map(({ id }) => id));
    for (const id of [...this.#handles.keys()]) if (!here.has(id)) this.#handles.delete(id);
    const handles = rooms.map((room) => this.#ensure(room, sealed));
    await parts.history.keepRooms(handles.map(({ room }) => rowOf(room)));
    for (const handle of handles) await this.#syncRoom(handle);
    this.#joining = [];
    changed();
  }

  async #syncRoom(handle: RoomHandle): Promise<void> {
    const { keeper, failed } = this.#deps;
    const { id, sealing } = handle.room;
    try {
      // What is refused of its keys costs the room nothing else.
      const keys = sealing === 'sealed' ? keeper.refresh(id).catch(failed) : Promise.resolve(null);
      if (this.#joining.includes(id)) {
        await keys;
        await keeper.joinByProof(id);
      }
      await Promise.all([keys, handle.log.begin(keys), this.company(handle)]);
      this.#watch(handle);
    } catch (error) {
      failed(error);
    }
  }

  /** What is known of people's keys by now. */
  async look(): Promise<void> {
    const { parts, changed } = this.#deps;
    this.#trust = await parts.sealing.trust();
    changed();
  }

  /** Who is in a room, and which devices. */
  async company(handle: RoomHandle): Promise<void> {
    const { keeper, people } = this.#deps;
    handle.company = await keeper.company(handle.room.id);
    people.learn(handle.company.members.map(({ user }) => user));
    await this.look();
  }

  /** An epoch that is due is made by some member's client; this one may be it. */
  #watch({ room, company }: RoomHandle): void {
    const { keeper } = this.#deps;
    const view = keeper.view(room.id);
    if (room.sealing === 'open' || view === null || company === null) return;
    const unlisted = company.members.some(({ user }) => !view.members.includes(user.id));
    const due = room.rotationDue || keeper.isDueByItself(room.id);
    if (due || (view.listed && unlisted)) keeper.watch(room.id);
  }

  /** Somebody came, went or is not known yet: looks at the room anew. */
  lookAround(room: Id): void {
    const handle = this.#handles.get(room);
    if (handle === undefined) return;
    const { parts, keeper, failed } = this.#deps;
    const look = async (): Promise<void> => {
      if (handle.room.sealing === 'sealed') await keeper.refresh(room);
      const sealed = new Set(await parts.sealing.sealedRooms());
      this.#ensure(await parts.api.rooms.get(room), sealed);
      await this.company(handle);
      this.#watch(handle);
    };
    look().catch((error: unknown) => {
      // Whoever was removed may have been me: the list of rooms knows.
      if (error instanceof ApiError && error.status === 404) this.resync();
      else failed(error);
    });
  }

  /** `sync` where nobody waits for it. */
  resync(): void {
    this.sync().catch(this.#deps.failed);
  }

  knowsDevice(room: Id, device: Id): boolean {
    return this.get(room)?.company?.devices.some(({ id }) => id === device) === true;
  }
}

/** A room as the API gives it, so that what is kept reads back through the same parser. */
function rowOf(room: Room): Record<string, unknown> {
  const { lastMessageAt, headPosition, firstPosition, myRole, rotationDue, ...more } = room;
  const { keepDays, keepBytes, directWith, ...rest } = more;
  return {
    ...rest,
    last_message_at: lastMessageAt,
    head_position: headPosition,
    first_position: firstPosition,
    my_role: myRole,
    rotation_due: rotationDue,
    keep_days: keepDays,
    keep_bytes: keepBytes,
    direct_with: directWith,
  };
}
