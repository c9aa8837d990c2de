// The highest numbers of writers: what comes again is known by them, in whatever order it is read.
import { expect, test } from 'vitest';
import { parseId, type Id } from '../protocol/ids';
import { dice } from '../testing/dice';
import type { Fact } from './fact';
import { Numbers } from './numbers';

const id = (n: number): Id => parseId(`01929b2a-7c01-7abc-8def-${String(n).padStart(12, '0')}`);

/** An event of one writer; its id goes by its number. */
function event(position: number, seq: number, writer = 7): Fact {
  const body = { type: 'room', title: null, topic: null } as const;
  const placed = { position, at: position, id: id(seq), sender: id(1) };
  return { kind: 'event', ...placed, number: { writer, seq }, epoch: 1, body, changedCard: false };
}

/** The positions of those that come again. */
function late(numbers: Numbers, facts: readonly Fact[]): number[] {
  return facts.filter((fact) => numbers.isLate(fact)).map(({ position }) => position);
}

test('a number that is not above all before it comes again', () => {
  const numbers = new Numbers();
  const facts = [event(1, 1), event(2, 2), event(3, 5), event(4, 5), event(5, 3), event(6, 6)];
  expect(numbers.note(facts)).toBe(false);
  expect(late(numbers, facts)).toEqual([4, 5]);
  expect(numbers.note(facts)).toBe(false);
  expect(late(numbers, facts)).toEqual([4, 5]);
  const others = [event(7, 1, 8), event(8, 2, 8)];
  numbers.note(others);
  expect(late(numbers, others)).toEqual([]);
});

test('what was kept tells it as well', () => {
  const first = new Numbers();
  first.note([event(1, 1), event(2, 9), event(3, 4)]);
  const numbers = new Numbers(JSON.parse(JSON.stringify(first.kept())));
  numbers.note([event(9, 2)]);
  expect(late(numbers, [event(2, 9), event(3, 4), event(9, 2)])).toEqual([3, 9]);
});

test('what was read first may turn out to come again', () => {
  const numbers = new Numbers();
  const newest = [event(100, 5), event(101, 6)];
  numbers.note(newest);
  expect(late(numbers, newest)).toEqual([]);
  expect(numbers.note([event(50, 90)])).toBe(true);
  numbers.note(newest);
  numbers.note([event(10, 5), event(11, 6)]);
  expect(late(numbers, [event(10, 5), event(11, 6), event(50, 90), ...newest])).toEqual([100, 101]);
});

test('numbers that nobody signed say nothing', () => {
  const numbers = new Numbers();
  const number = { writer: 7, seq: 1_000 };
  const stub = { kind: 'stub', position: 1, at: 1, id: id(2), sender: id(1), number } as const;
  numbers.note([{ ...stub, reason: 'other_key', by: null }, event(2, 1)]);
  expect(late(numbers, [event(2, 1)])).toEqual([]);
});

test('in whatever order honest pages are read, nothing comes again', () => {
  for (let seed = 1; seed <= 50; seed++) {
    const roll = dice(seed);
    const facts = Array.from({ length: 60 }, (_, n) => event(n + 1, n + 1, 0));
    const numbers = new Numbers();
    for (let page = 0; page < 40; page++) {
      const from = roll(facts.length);
      numbers.note(facts.slice(from, from + 1 + roll(10)));
    }
    expect(late(numbers, facts)).toEqual([]);
  }
});

test('they stay few', () => {
  const numbers = new Numbers();
  numbers.note(Array.from({ length: 2_000 }, (_, n) => event(n + 1, 1, n)));
  numbers.note(Array.from({ length: 2_000 }, (_, n) => event(9_000 + n, 1, 1_999)));
  expect(numbers.kept().highest).toHaveLength(500);
  expect(numbers.kept().late).toHaveLength(500);
});
