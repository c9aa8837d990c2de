// Where a few letters lead: rooms, then people without a room of their own yet.
import { expect, test } from 'vitest';
import type { Person } from '../../state/model';
import { FakePeople } from '../gallery/fake_people';
import { jonas, mila, oma, roomsAt } from '../gallery/people';
import { goalsOf } from './goals';

const { everyone } = new FakePeople(0).state;
const rooms = roomsAt(0);
const names = (wanted: string): string[] =>
  goalsOf(rooms, everyone, wanted).map((goal) =>
    goal.kind === 'room' ? goal.room.name : goal.person.displayName,
  );

test('a person is found by a few letters, after the rooms', () => {
  expect(names('o')).toEqual(['Oma Grete', 'Around the house', 'Holidays', 'Jonas']);
  expect(names('jon')).toEqual(['Jonas']);
});

test('who has a direct chat here is found as that, by either name, once', () => {
  const found = goalsOf(rooms, everyone, 'oma');
  expect(found.map(({ kind, id }) => [kind, id])).toEqual([['room', 'r-oma']]);
});

test('whom one cannot write to is no goal', () => {
  const hidden: readonly Person[] = [mila, jonas, oma];
  const others = everyone.map((profile) => ({
    ...profile,
    blocked: profile.person === mila,
    mayWrite: profile.person !== jonas,
  }));
  const people = goalsOf([], others, '').flatMap((goal) =>
    goal.kind === 'person' ? [goal.person] : [],
  );
  expect(people.filter((one) => hidden.includes(one))).toEqual([oma]);
});
