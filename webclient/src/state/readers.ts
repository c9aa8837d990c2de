// Who can read a room, from its members, its epoch and what is known of people's keys.
import type { Member } from '../api/rooms';
import type { DeviceView } from './model';
import type { Reader, Readers } from './readers_model';
import type { RoomContext, RoomHandle } from './room';

function readerOf({ user }: Member, { me, people, trust }: RoomContext): Reader {
  const person = people.person(user.id);
  if (user.id === me) return { person, pin: 'self', since: null, by: null, offered: null };
  const known = trust.get(user.id);
  const by = known?.by == null ? null : people.person(known.by);
  const { state: pin = 'unverified', at: since = null, offered = null } = known ?? {};
  return { person, pin, since, by, offered };
}

export function readersOf(
  handle: RoomHandle,
  context: RoomContext,
  devices: readonly DeviceView[],
): Readers {
  const { keys, people, trust } = context;
  const box = handle.room.sealing === 'open';
  const all = handle.company?.members ?? [];
  const has = ({ user }: Member): boolean => box || keys?.members.includes(user.id) === true;
  const read = (members: readonly Member[]): Reader[] =>
    members.map((member) => readerOf(member, context));
  const waits = ({ user }: Member): boolean =>
    keys?.changed.includes(user.id) === true || trust.get(user.id)?.offered != null;
  return {
    box,
    epoch: box ? 0 : (keys?.epoch ?? 0),
    since: keys?.at ?? 0,
    by: keys?.by == null ? null : people.person(keys.by),
    reason: keys?.reason ?? '',
    people: read(all.filter(has)),
    waiting: read(all.filter((member) => !has(member))),
    changed: box ? [] : read(all.filter(waits)),
    hints: keys?.rules?.hints === true,
    devices,
  };
}
