// Drafts: kept while somebody types on and on, and not given up before the text lies in the outbox.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Drafts } from './drafts.svelte';

let kept: string[];
let drafts: Drafts;

beforeEach(() => {
  vi.useFakeTimers();
  kept = [];
  drafts = new Drafts({ draft: () => 'from before', keepDraft: (_, text) => void kept.push(text) });
});

afterEach(() => vi.useRealTimers());

/** A key each `ms`. */
function type(text: string, ms: number): void {
  for (let n = 1; n <= text.length; n += 1) {
    drafts.type('garden', text.slice(0, n));
    vi.advanceTimersByTime(ms);
  }
}

test('who types without a rest loses a moment at the most', () => {
  type('the tomatoes want water', 50);
  expect(kept.length).toBeGreaterThan(5);
  expect('the tomatoes want water'.length - (kept.at(-1)?.length ?? 0)).toBeLessThanOrEqual(3);
  vi.advanceTimersByTime(150);
  expect(kept.at(-1)).toBe('the tomatoes want water');
});

test('what was sent is kept until it lies in the outbox', () => {
  type('water', 50);
  drafts.type('garden', '');
  expect(drafts.of('garden')).toBe('');
  vi.advanceTimersByTime(399);
  expect(kept.at(-1)).not.toBe('');
  vi.advanceTimersByTime(1);
  expect(kept.at(-1)).toBe('');
});

test('each room has its own, and a page that goes keeps all at once', () => {
  drafts.type('garden', 'one');
  drafts.type('attic', 'two');
  expect(drafts.of('cellar')).toBe('from before');
  drafts.keepAll();
  expect(kept).toEqual(['one', 'two']);
  vi.advanceTimersByTime(1_000);
  expect(kept).toEqual(['one', 'two']);
});

test('what is sent in the moment in which the page goes stays a draft', () => {
  type('water', 5);
  drafts.type('garden', '');
  drafts.keepAll();
  expect(kept.at(-1)).toBe('water');
  // The page came back: it lies in the outbox by now.
  vi.advanceTimersByTime(400);
  expect(kept.at(-1)).toBe('');
});

test('what lies in the outbox is given up at once', () => {
  type('water', 5);
  drafts.type('garden', '');
  expect(kept.at(-1)).toBe('water');
  drafts.type('garden', '');
  expect(kept.at(-1)).toBe('');
  drafts.keepAll();
  vi.advanceTimersByTime(1_000);
  expect(kept.filter((text) => text === '')).toHaveLength(1);
});
