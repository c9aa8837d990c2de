// Who can read the gallery's rooms.
import type { Reader, Readers } from '../../state/readers_model';
import { anna, jonas, lea, members, mila, oma, ravi } from './people';

const day = 24 * 60 * 60_000;

/** Oma's keys were let in by Mila; Ravi's are only offered. */
export function changedAt(now: number): Reader[] {
  return [
    { person: oma, pin: 'changed', since: now - day, by: mila, offered: null },
    { person: ravi, pin: 'unverified', since: now - 9 * day, by: null, offered: now - 2 * day },
  ];
}

export function readersAt(now: number, sealing: 'sealed' | 'open', alone: boolean): Readers {
  const box = sealing === 'open';
  const known = { since: now - 20 * day, by: anna, offered: null };
  const all = alone ? members.slice(0, 1) : members;
  const people = all.map(({ person, pin }): Reader => ({ ...known, person, pin }));
  const waits = ({ person }: Reader): boolean => !box && person.id === ravi.id;
  return {
    box,
    epoch: box ? 0 : 3,
    since: now - 3 * day,
    by: jonas,
    reason: 'added',
    people: people.filter((reader) => !waits(reader)),
    gone: box || alone ? [] : [{ ...known, person: lea, pin: 'vouched' }],
    waiting: people.filter(waits),
    changed: box || alone ? [] : changedAt(now),
    hints: false,
    devices: alone
      ? []
      : [
          {
            id: 'd-washer',
            name: 'washer',
            createdAt: 0,
            lastPostAt: null,
            plain: false,
            lastRefused: null,
          },
        ],
  };
}
