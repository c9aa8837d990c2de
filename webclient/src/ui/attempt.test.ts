// What a form does once, and what it reads again and again.
import { expect, test, vi } from 'vitest';
import { Attempt } from './attempt.svelte';
import { english } from './words/english';

// The language of a browser is chosen there.
vi.mock('./words/catalogue.svelte', () => ({ words: () => english }));

/** An answer that is given later. */
function later<T>(): { ask: () => Promise<T>; give: (answer: T) => void } {
  let give!: (answer: T) => void;
  const answer = new Promise<T>((resolve) => (give = resolve));
  return { ask: () => answer, give };
}

test('does one thing at a time', async () => {
  const attempt = new Attempt();
  const first = later<string>();
  const done = attempt.run(first.ask);
  expect(attempt.busy).toBe(true);
  expect(await attempt.run(async () => 'second')).toBe(undefined);
  first.give('first');
  expect(await done).toBe('first');
  expect(attempt.busy).toBe(false);
});

test('reads anew while it is still reading, and an older answer is none', async () => {
  const attempt = new Attempt();
  const [before, after] = [later<string>(), later<string>()];
  const [stale, fresh] = [attempt.newest(before.ask), attempt.newest(after.ask)];
  after.give('with the new one');
  expect(await fresh).toBe('with the new one');
  before.give('without it');
  expect(await stale).toBe(undefined);
});

test('holds what went wrong until the next thing is tried', async () => {
  const attempt = new Attempt();
  await attempt.newest(() => Promise.reject(new Error('no')));
  expect(attempt.problem).not.toBe(null);
  await attempt.newest(async () => 'read');
  expect(attempt.problem).toBe(null);
});
