// What has not changed stays the very same.
import { expect, test } from 'vitest';
import { same, unchanged } from './same';

test('values are compared by what they hold', () => {
  const value = { a: [1, { b: null }], c: 'x' };
  expect(same(value, structuredClone(value))).toBe(true);
  for (const other of [{ ...value, c: 'y' }, { a: value.a }, { ...value, d: 1 }, [value], null]) {
    expect(same(value, other)).toBe(false);
  }
  expect(same([], {})).toBe(false);
});

test('entries keep their identity until they change', () => {
  const before = [
    { id: 'a', n: { x: 1 } },
    { id: 'b', n: { x: 2 } },
  ];
  const after = structuredClone(before).map((one) =>
    one.id === 'b' ? { ...one, n: { x: 3 } } : one,
  );
  const kept = unchanged(before, after);
  expect(kept[0]).toBe(before[0]);
  expect(kept[1]).toBe(after[1]);
});
