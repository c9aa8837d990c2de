// One room as this browser holds it, and what the screens get of it.
import type { Device } from '../api/devices';
import type { Room } from '../api/rooms';
import { parseEvent } from '../protocol/event';
import type { Id } from '../protocol/ids';
import type { KeyView, Trust } from '../sealing/requests';
import type { Company } from '../session/keeper';
import type { Outgoing } from '../session/outbox';
import type { RoomLog } from '../session/room_log';
import type { DeviceView, MemberView, RoomBlock, RoomView, TimelineItem } from './model';
import type { People } from './people';
import { readersOf } from './readers';
import { readingOf, type Place } from './reading';
import type { Receipts } from './receipts';
import { same, unchanged } from './same';
import { summaryOf } from './summary';
import { pinsOf, threadOf, type Beside } from './thread';
import { PENDING, timelineOf, type Pending } from './timeline';

export interface RoomHandle {
  room: Room;
  readonly log: RoomLog;
  company: Company | null;
  readonly place: Place;
  readonly beside: Beside;
  /** Up to here all was read when the room came into view; null until its first page is here. */
  readTo: number | null;
}

export interface RoomContext {
  readonly me: Id;
  readonly people: People;
  readonly trust: ReadonlyMap<string, Trust>;
  readonly keys: KeyView | null;
  readonly outgoing: readonly Outgoing[];
  readonly receipts: Receipts;
  readonly typing: readonly Id[];
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

export const deviceName = (handle: RoomHandle, id: string): string =>
  handle.company?.devices.find((device) => device.id === id)?.name ?? '…';

function membersOf(handle: RoomHandle, { me, keys, trust, people }: RoomContext): MemberView[] {
  const sealed = handle.room.sealing === 'sealed';
  return (handle.company?.members ?? []).map(({ user, role, joinedAt }) => {
    const listed = keys?.members.includes(user.id) === true;
    const pin = user.id === me ? 'self' : (trust.get(user.id)?.state ?? 'unverified');
    const key = sealed ? (listed ? 'listed' : 'waiting') : 'open';
    return { person: people.person(user.id), role, joinedAt, key, pin };
  });
}

const deviceView = (device: Device): DeviceView => {
  const { id, name, createdAt, lastPostAt, plain, lastRefused } = device;
  return { id, name, createdAt, lastPostAt, plain, lastRefused };
};

function blockOf(handle: RoomHandle, keys: KeyView | null): RoomBlock | null {
  if (handle.room.sealing === 'open') return null;
  if (keys?.split === true) return 'room_split';
  if (keys?.open !== true || !keys.listed) return 'waiting_for_key';
  return keys.changed.length > 0 ? 'changed_keys' : null;
}

/** One's own stored messages with how far they are. */
function reached(handle: RoomHandle, context: RoomContext, item: TimelineItem): TimelineItem {
  if (item.kind !== 'message' || !item.own || item.deleted || item.position === null) return item;
  const { me, people, receipts } = context;
  const { position, at } = item;
  const members = handle.company?.members ?? [];
  const reach = receipts.reach(handle.room.id, { position, at }, { me, members, people });
  return { ...item, reach };
}

const keptList = <T>(before: readonly T[] | undefined, after: readonly T[]): readonly T[] =>
  before !== undefined && same(before, after) ? before : after;

/** `before`: what was shown last, of which the items that have not changed stay the same. */
export function viewOf(
  handle: RoomHandle,
  context: RoomContext,
  before: RoomView | null,
): RoomView {
  const { log, room } = handle;
  const { me, people } = context;
  const input = {
    pending: pendingOf(me, context.outgoing),
    me,
    person: (id: string) => people.person(id),
    device: (id: string) => deviceName(handle, id),
    known: (id: string) => log.known(id),
  };
  const timeline = timelineOf({
    ...input,
    facts: log.facts(),
    pending: log.atNewest ? input.pending : [],
    complete: log.complete,
    run: log.run,
    isLate: (fact) => log.isLate(fact),
  });
  const thread = threadOf(handle, input);
  const pins = pinsOf(handle, input);
  const devices = (handle.company?.devices ?? []).map(deviceView);
  const manages = room.myRole === 'owner' || room.myRole === 'admin';
  return {
    room: summaryOf(handle, people, me),
    timeline: unchanged(
      before?.timeline ?? [],
      timeline.map((item) => reached(handle, context, item)),
    ),
    complete: log.complete,
    loadingOlder: handle.place.loadingOlder,
    reading: { ...readingOf(handle, me), thread, pins },
    members: keptList(before?.members, membersOf(handle, context)),
    devices,
    readers: readersOf(handle, context, devices),
    block: blockOf(handle, context.keys),
    epoch: context.keys?.epoch ?? 0,
    typing: context.typing.map((id) => people.person(id)),
    readTo: handle.readTo ?? Number.MAX_SAFE_INTEGER,
    may: {
      invite: manages && room.type !== 'direct',
      erase: manages && room.type !== 'direct',
      manageDevices: manages,
      manageRoom: manages,
    },
  };
}
