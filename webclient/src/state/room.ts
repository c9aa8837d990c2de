// One room as this browser holds it, and what the screens get of it.
import type { Device } from '../api/devices';
import type { Room } from '../api/rooms';
import { parseEvent } from '../protocol/event';
import type { Id } from '../protocol/ids';
import type { KeyView } from '../sealing/requests';
import type { PinState } from '../sealing/vault';
import type { Company } from '../session/keeper';
import type { Outgoing } from '../session/outbox';
import type { RoomLog } from '../session/room_log';
import type { DeviceView, MemberView, RoomBlock, RoomSummary, RoomView } from './model';
import type { People } from './people';
import { PENDING, timelineOf, type Pending } from './timeline';

export interface RoomHandle {
  room: Room;
  readonly log: RoomLog;
  company: Company | null;
  loadingOlder: boolean;
}

export interface RoomContext {
  readonly me: Id;
  readonly people: People;
  readonly pins: ReadonlyMap<string, PinState>;
  readonly keys: KeyView | null;
  readonly outgoing: readonly Outgoing[];
}

/** What is on its way, as events that have no position yet. */
function pendingOf(me: Id, outgoing: readonly Outgoing[]): Pending[] {
  return outgoing.map(({ entry, delivery }) => ({
    delivery,
    fact: {
      kind: 'event',
      position: PENDING,
      at: entry.at,
      id: entry.id,
      sender: me,
      number: null,
      epoch: 0,
      body: parseEvent(entry.body).body,
      changedCard: false,
    },
  }));
}

const deviceName = (handle: RoomHandle, id: string): string =>
  handle.company?.devices.find((device) => device.id === id)?.name ?? '…';

interface Last {
  readonly at: number;
  readonly text: string;
  readonly sender: string | null;
}

function lastOf(handle: RoomHandle, context: RoomContext): Last | null {
  for (const fact of handle.log.facts().toReversed()) {
    if (fact.kind === 'event' && fact.body.type === 'message') {
      const sender = context.people.person(fact.sender).displayName;
      return { at: fact.at, text: fact.body.content, sender };
    }
    if (fact.kind === 'post') {
      const text = fact.post.title ?? fact.post.text;
      return { at: fact.at, text, sender: deviceName(handle, fact.device) };
    }
  }
  return null;
}

function unreadOf(handle: RoomHandle, me: string): number {
  return handle.log.facts().filter((fact) => {
    if (fact.position <= handle.log.read) return false;
    if (fact.kind === 'event') return fact.body.type === 'message' && fact.sender !== me;
    return fact.kind === 'post' || (fact.kind === 'stub' && fact.sender !== me);
  }).length;
}

export function summaryOf(handle: RoomHandle, context: RoomContext): RoomSummary {
  const { id, name, type, sealing, general, myRole, lastMessageAt } = handle.room;
  const last = lastOf(handle, context);
  return {
    id,
    name,
    type,
    sealing,
    general,
    myRole: myRole ?? 'member',
    lastMessageAt: last?.at ?? lastMessageAt,
    lastText: last?.text.slice(0, 200) ?? null,
    lastSender: last?.sender ?? null,
    unread: unreadOf(handle, context.me),
  };
}

/** Newest message first; rooms without one by name. */
export function sortRooms(rooms: readonly RoomSummary[]): RoomSummary[] {
  return rooms.toSorted(
    (a, b) => (b.lastMessageAt ?? 0) - (a.lastMessageAt ?? 0) || a.name.localeCompare(b.name),
  );
}

/** The rows shown before where nothing in them changed, so that whoever watches is not woken. */
export function kept(
  before: readonly RoomSummary[],
  after: readonly RoomSummary[],
): readonly RoomSummary[] {
  const rows = after.map((row) => {
    const same = before.find(({ id }) => id === row.id);
    return same !== undefined && JSON.stringify(same) === JSON.stringify(row) ? same : row;
  });
  const unchanged = rows.length === before.length && rows.every((row, at) => row === before[at]);
  return unchanged ? before : rows;
}

function membersOf(handle: RoomHandle, { me, keys, pins, people }: RoomContext): MemberView[] {
  const sealed = handle.room.sealing === 'sealed';
  return (handle.company?.members ?? []).map(({ user, role, joinedAt }) => {
    const listed = keys?.members.includes(user.id) === true;
    const pin = user.id === me ? 'self' : (pins.get(user.id) ?? 'unverified');
    const key = sealed ? (listed ? 'listed' : 'waiting') : 'open';
    return { person: people.person(user.id), role, joinedAt, key, pin };
  });
}

const deviceView = ({ id, name, createdAt, lastPostAt }: Device): DeviceView => ({
  id,
  name,
  createdAt,
  lastPostAt,
});

function blockOf(handle: RoomHandle, keys: KeyView | null): RoomBlock | null {
  if (handle.room.sealing === 'open') return null;
  if (keys?.split === true) return 'room_split';
  return keys?.open === true && keys.listed ? null : 'waiting_for_key';
}

export function viewOf(handle: RoomHandle, context: RoomContext): RoomView {
  const { log, room } = handle;
  const timeline = timelineOf({
    facts: log.facts(),
    pending: pendingOf(context.me, context.outgoing),
    me: context.me,
    complete: log.complete,
    person: (id) => context.people.person(id),
    device: (id) => deviceName(handle, id),
  });
  const manages = room.myRole === 'owner' || room.myRole === 'admin';
  return {
    room: summaryOf(handle, context),
    timeline,
    complete: log.complete,
    loadingOlder: handle.loadingOlder,
    members: membersOf(handle, context),
    devices: (handle.company?.devices ?? []).map(deviceView),
    block: blockOf(handle, context.keys),
    epoch: context.keys?.epoch ?? 0,
    may: {
      invite: manages && room.type !== 'direct',
      manageDevices: manages,
      manageRoom: manages,
    },
  };
}
