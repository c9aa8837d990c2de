// Who can read a room, from its members, its epoch and what is known of people's keys.
import type { DeviceView } from './model';
import type { Reader, Readers } from './readers_model';
import type { RoomContext, RoomHandle } from './room';

function readerOf(user: string, { me, people, trust }: RoomContext): Reader {
  const person = people.person(user);
  if (user === me) return { person, pin: 'self', since: null, by: null, offered: null };
  const known = trust.get(user);
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
  const all = handle.company?.members.map(({ user }): string => user.id) ?? [];
  const listed: readonly string[] = keys?.members ?? [];
  const has = (user: string): boolean => box || listed.includes(user);
  const read = (users: readonly string[]): Reader[] => users.map((user) => readerOf(user, context));
  const waits = (user: string): boolean =>
    keys?.changed.some((one) => one === user) === true || trust.get(user)?.offered != null;
  // The epoch says who reads; the box's list alone may leave somebody out.
  const unnamed = (user: string): boolean => user !== context.me && !all.includes(user);
  const gone = box || handle.company === null ? [] : listed.filter(unnamed);
  return {
    box,
    epoch: box ? 0 : (keys?.epoch ?? 0),
    since: keys?.at ?? 0,
    by: keys?.by == null ? null : people.person(keys.by),
    reason: keys?.reason ?? '',
    people: read(all.filter(has)),
    gone: read(gone),
    waiting: read(all.filter((user) => !has(user))),
    changed: box ? [] : read([...all, ...gone].filter(waits)),
    hints: keys?.rules?.hints === true,
    devices,
  };
}
