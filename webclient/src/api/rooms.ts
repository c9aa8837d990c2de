// Rooms, their members and their epochs.
import { b64u } from '../protocol/bytes';
import type { Id, InviteCode } from '../protocol/ids';
import * as s from '../protocol/schema';
import { nothing, type Http } from './http';
import { user, type User } from './users';

/** Public rooms that are asked for at once. */
const PUBLIC_PAGE = 50;

export interface Room {
  readonly id: Id;
  readonly name: string;
  readonly type: 'public' | 'private' | 'direct';
  readonly sealing: 'sealed' | 'open';
  readonly general: boolean;
  readonly lastMessageAt: number | null;
  readonly headPosition: number;
  readonly firstPosition: number;
  /** Null: not a member. */
  readonly myRole: 'owner' | 'admin' | 'member' | null;
  readonly epoch: number;
  readonly rotationDue: boolean;
  readonly description: string;
  /** What a newcomer may read. */
  readonly history: 'all' | 'since_join';
  /** Days and bytes that are kept; 0: as the house's settings say. */
  readonly keepDays: number;
  readonly keepBytes: number;
  /** Of which messages one wants to be told. */
  readonly notify: Notify;
  /** The other person of a direct room. */
  readonly directWith: Id | null;
  readonly memberCount: number;
  /** In the order in which they were pinned. */
  readonly pins: readonly Pin[];
}

/** A pinned message. */
export interface Pin {
  readonly message: Id;
  readonly position: number;
  readonly by: Id;
  readonly at: number;
}

export type Notify = 'all' | 'mentions' | 'muted';

const roomRole = s.oneOf('owner', 'admin', 'member');

const pin: s.Parser<Pin> = s.object({ message: s.id, position: s.count, by: s.id, at: s.count });

const fields = s.object({
  id: s.id,
  name: s.text,
  type: s.oneOf('public', 'private', 'direct'),
  sealing: s.oneOf('sealed', 'open'),
  general: s.withDefault(s.flag, false),
  last_message_at: s.optional(s.count),
  head_position: s.count,
  first_position: s.count,
  my_role: s.optional(roomRole),
  epoch: s.withDefault(s.u32Number, 0),
  rotation_due: s.withDefault(s.flag, false),
  description: s.withDefault(s.text, ''),
  history: s.withDefault(s.oneOf('all', 'since_join'), 'all'),
  keep_days: s.withDefault(s.count, 0),
  keep_bytes: s.withDefault(s.count, 0),
  notify: s.withDefault(s.oneOf('all', 'mentions', 'muted'), 'all'),
  direct_with: s.optional(s.id),
  member_count: s.withDefault(s.count, 0),
  pins: s.withDefault(s.list(pin), []),
});

export const room: s.Parser<Room> = (value, path) => {
  const read = fields(value, path);
  const { id, name, type, sealing, general, epoch, description, history, notify } = read;
  return {
    id,
    name,
    type,
    sealing,
    general,
    epoch,
    lastMessageAt: read.last_message_at === 0 ? null : read.last_message_at,
    headPosition: read.head_position,
    firstPosition: read.first_position,
    myRole: read.my_role,
    rotationDue: read.rotation_due,
    description,
    history,
    keepDays: read.keep_days,
    keepBytes: read.keep_bytes,
    notify,
    directWith: read.direct_with,
    memberCount: read.member_count,
    pins: read.pins,
  };
};

export interface Member {
  readonly user: User;
  readonly role: 'owner' | 'admin' | 'member';
  readonly joinedAt: number;
}

export interface WaitingProof {
  readonly user: Id;
  readonly code: InviteCode;
  readonly proof: Uint8Array;
}

const memberFields = s.object({ user, role: roomRole, joined_at: s.withDefault(s.count, 0) });

const member: s.Parser<Member> = (value, path) => {
  const { joined_at, ...rest } = memberFields(value, path);
  return { ...rest, joinedAt: joined_at };
};

const members = s.object({
  members: s.list(member),
  waiting: s.withDefault(
    s.readable(s.object({ user: s.id, code: s.code, proof: s.bytes(64) })),
    [],
  ),
});

export interface NewRoom {
  readonly id: Id;
  readonly name: string;
  readonly type: 'public' | 'private';
  readonly sealing: 'sealed' | 'open';
  readonly description: string;
  readonly bundle: Uint8Array | null;
}

/** What changes of a room; the rest stays. */
export interface RoomChange {
  readonly name?: string;
  readonly description?: string;
  readonly type?: 'public' | 'private';
  readonly sealing?: 'sealed';
  readonly history?: 'all' | 'since_join';
  readonly keepDays?: number;
  readonly keepBytes?: number;
  readonly bundle?: Uint8Array;
}

export class RoomsApi {
  readonly #http: Http;

  constructor(http: Http) {
    this.#http = http;
  }

  async list(): Promise<Room[]> {
    return (await this.#http.ask('GET', '/api/rooms', s.object({ rooms: s.readable(room) }))).rooms;
  }

  get(id: Id): Promise<Room> {
    return this.#http.ask('GET', `/api/rooms/${id}`, room);
  }

  create({ bundle, ...rest }: NewRoom): Promise<Room> {
    const body = { ...rest, ...(bundle === null ? {} : { bundle: b64u(bundle) }) };
    return this.#http.ask('POST', '/api/rooms', room, { body });
  }

  /** The direct room with somebody: a new one, or the one that there is. */
  direct(id: Id, person: Id, bundle: Uint8Array | null): Promise<Room> {
    const sealing = bundle === null ? { sealing: 'open' } : { bundle: b64u(bundle) };
    const body = { type: 'direct', id, user_id: person, ...sealing };
    return this.#http.ask('POST', '/api/rooms', room, { body });
  }

  change(id: Id, { keepDays, keepBytes, bundle, ...rest }: RoomChange): Promise<Room> {
    const body = {
      ...rest,
      ...(keepDays === undefined ? {} : { keep_days: keepDays }),
      ...(keepBytes === undefined ? {} : { keep_bytes: keepBytes }),
      ...(bundle === undefined ? {} : { bundle: b64u(bundle) }),
    };
    return this.#http.ask('PUT', `/api/rooms/${id}`, room, { body });
  }

  remove(id: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/rooms/${id}`, nothing);
  }

  /** Public rooms below `after`, those one is not in as well; the newest message first. */
  publicPage(
    after: Id | null,
  ): Promise<{ readonly rooms: readonly Room[]; readonly next: Id | null }> {
    const query = new URLSearchParams({ limit: String(PUBLIC_PAGE) });
    if (after !== null) query.set('after', after);
    const page = s.object({ rooms: s.readable(room), next: s.optional(s.id) });
    return this.#http.ask('GET', `/api/rooms/public?${query}`, page);
  }

  join(id: Id): Promise<Room> {
    return this.#http.ask('POST', `/api/rooms/${id}/join`, room);
  }

  leave(id: Id): Promise<null> {
    return this.#http.ask('POST', `/api/rooms/${id}/leave`, nothing);
  }

  notify(id: Id, notify: Notify): Promise<unknown> {
    return this.#http.ask('PUT', `/api/rooms/${id}/notify`, s.anything, { body: { notify } });
  }

  /** Somebody comes in; a sealed room's next bundle may list them. */
  addMember(id: Id, person: Id, bundle: Uint8Array | null): Promise<unknown> {
    const body = { user_id: person, ...(bundle === null ? {} : { bundle: b64u(bundle) }) };
    return this.#http.ask('POST', `/api/rooms/${id}/members`, s.anything, { body });
  }

  /** `transfer`: the room is handed over, and its owner becomes an admin. */
  setRole(id: Id, person: Id, role: Member['role'], transfer: boolean): Promise<unknown> {
    const path = `/api/rooms/${id}/members/${person}/role`;
    return this.#http.ask('PATCH', path, s.anything, { body: { role, transfer } });
  }

  members(id: Id): Promise<{
    readonly members: readonly Member[];
    readonly waiting: readonly WaitingProof[];
  }> {
    return this.#http.ask('GET', `/api/rooms/${id}/members`, members);
  }

  removeMember(id: Id, person: Id, reason = ''): Promise<null> {
    const why = reason === '' ? '' : `?${new URLSearchParams({ reason })}`;
    return this.#http.ask('DELETE', `/api/rooms/${id}/members/${person}${why}`, nothing);
  }

  /** The bundles after an epoch, ascending. */
  async bundles(
    id: Id,
    after: number,
  ): Promise<readonly { readonly epoch: number; readonly bundle: Uint8Array }[]> {
    const one = s.object({ epoch: s.u32Number, bundle: s.bytes() });
    const page = s.object({ bundles: s.list(one), more: s.withDefault(s.flag, false) });
    const all: { readonly epoch: number; readonly bundle: Uint8Array }[] = [];
    for (;;) {
      const from = all.at(-1)?.epoch ?? after;
      const path = `/api/rooms/${id}/bundles?after=${from}`;
      const { bundles, more } = await this.#http.ask('GET', path, page);
      all.push(...bundles);
      if (!more || (all.at(-1)?.epoch ?? after) <= from) return all;
    }
  }

  async putBundle(id: Id, bundle: Uint8Array): Promise<number> {
    const body = { bundle: b64u(bundle) };
    const parser = s.object({ epoch: s.u32Number });
    return (await this.#http.ask('POST', `/api/rooms/${id}/bundles`, parser, { body })).epoch;
  }

  /** Pins a message. */
  async pin(room: Id, message: Id): Promise<void> {
    const body = { message_id: message };
    await this.#http.ask('POST', `/api/rooms/${room}/pins`, s.anything, { body });
  }

  unpin(room: Id, message: Id): Promise<null> {
    return this.#http.ask('DELETE', `/api/rooms/${room}/pins/${message}`, nothing);
  }
}
