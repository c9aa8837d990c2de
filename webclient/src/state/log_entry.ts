// An entry of the house's log with names instead of ids, as far as they are known here.
import type { Entry } from '../api/house';
import { isId, type Id } from '../protocol/ids';
import type { LogEntry } from './administration_model';
import type { Home } from './home';

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Everybody whom an entry names. */
export const namedIn = ({ by, subject, detail }: Entry): Id[] =>
  [by, subject.type === 'user' ? subject.id : null, detail?.['user']].filter(
    (one): one is Id => typeof one === 'string' && isId(one),
  );

/** What the entry tells beside its subject; the rest is for programs. */
export function logEntry(home: Home, { id, at, by, action, subject, detail }: Entry): LogEntry {
  const { people, rooms } = home;
  const told = detail ?? {};
  const person = (one: string): string => people.person(one).displayName;
  const room = (one: unknown): string | null =>
    typeof one === 'string' && isId(one) ? (rooms.get(one)?.room.name ?? null) : null;
  const names = {
    house: null,
    user: subject.id === null ? null : person(subject.id),
    room: room(subject.id) ?? textOf(told['name']),
    message: null,
    device: textOf(told['name']),
  };
  const user = textOf(told['user']);
  return {
    id,
    at,
    by: by === null ? null : people.person(by),
    action,
    subject: { kind: subject.type, name: names[subject.type] },
    room: subject.type === 'room' ? null : room(told['room']),
    from: textOf(told['from']),
    to: textOf(told['to']) ?? textOf(told['role']),
    whom: user === null ? null : person(user),
    reason: textOf(told['reason']) ?? textOf(told['note']) ?? '',
  };
}
