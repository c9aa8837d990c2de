// Sizes and lengths in words, loudness in bars, and what a finger's way means.
import { expect, test } from 'vitest';
import { lengthWords } from './file_words';
import { peaksOf } from './peaks';

test('lengths are minutes and seconds', () => {
  expect([0, 999, 61_400, 600_000].map(lengthWords)).toEqual(['0:00', '0:01', '1:01', '10:00']);
});

test('loudness becomes few bars, the loudest one whole', () => {
  expect(peaksOf([], 64)).toEqual([]);
  expect(peaksOf([0.1, 0.5, 0.25], 64)).toEqual([51, 255, 128]);
  const long = Array.from({ length: 1_000 }, (_, n) => (n === 700 ? 1 : 0.1));
  const bars = peaksOf(long, 10);
  expect(bars).toHaveLength(10);
  expect(bars.indexOf(255)).toBe(7);
  expect(Math.max(...peaksOf([0.001, 0.002], 64))).toBeLessThan(40);
});
