// Rows of a long list: which are drawn, and that they stand where they belong.
import { describe, expect, test } from 'vitest';
import { GUESS, RowHeights } from './virtual';

function list(count: number, height = 100): RowHeights {
  const rows = new RowHeights();
  const keys = Array.from({ length: count }, (_, n) => `row-${n}`);
  rows.setKeys(keys);
  for (const key of keys) rows.measured(key, height);
  return rows;
}

describe('row heights', () => {
  test('only the rows in view are drawn, with the rest as room above and below', () => {
    const rows = list(1_000);
    const range = rows.between(5_050, 5_650);
    expect(range).toEqual({ from: 50, to: 57 });
    const placed = rows.placed(range, -1);
    expect(placed[0]).toEqual({ index: 50, gap: 5_000 });
    expect(placed.slice(1).every(({ gap }) => gap === 0)).toBe(true);
    expect(rows.after(placed)).toBe(100_000 - 5_700);
  });

  test('a row that must not go stands in its place, far from the others', () => {
    const rows = list(100);
    const placed = rows.placed({ from: 50, to: 52 }, 3);
    expect(placed).toEqual([
      { index: 3, gap: 300 },
      { index: 50, gap: 4_600 },
      { index: 51, gap: 0 },
    ]);
    expect(rows.placed({ from: 50, to: 51 }, 99).at(-1)).toEqual({ index: 99, gap: 4_800 });
  });

  test('what was never drawn is guessed, what was measured stays known by its key', () => {
    const rows = list(2);
    rows.setKeys(['new', 'row-0', 'row-1']);
    expect(rows.top(1)).toBe(GUESS);
    expect(rows.total).toBe(GUESS + 200);
    expect(rows.measured('new', 80)).toBe(true);
    expect(rows.measured('new', 80)).toBe(false);
    expect(rows.top(2)).toBe(180);
  });

  test('nothing goes beyond either end', () => {
    const rows = list(3);
    expect(rows.at(-50)).toBe(0);
    expect(rows.at(9_999)).toBe(2);
    expect(rows.between(-50, 9_999)).toEqual({ from: 0, to: 3 });
    expect(new RowHeights().between(0, 500)).toEqual({ from: 0, to: 0 });
    expect(new RowHeights().total).toBe(0);
  });
});
