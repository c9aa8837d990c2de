// Sizes and lengths in words, loudness in bars, and what a finger's way means.
import { expect, test } from 'vitest';
import { FILE_BYTES_MAX } from '../../protocol/attachment';
import { english } from '../words/english';
import { lengthWords, sizeWords } from './file_words';
import { peaksOf } from './peaks';

test('lengths are minutes and seconds', () => {
  expect([0, 999, 61_400, 600_000].map(lengthWords)).toEqual(['0:00', '0:01', '1:01', '10:00']);
});

test('sizes count as the limits do: a file of 10 MB is the largest', () => {
  const said = (bytes: number): string => sizeWords(bytes, english, 'en');
  expect(said(FILE_BYTES_MAX)).toBe('10 MB');
  expect([1_023, 1_024, 1_048_063].map(said)).toEqual(['1,023 B', '1 KB', '1,023 KB']);
  expect([1_048_064, 1_572_864, 52_428_800].map(said)).toEqual(['1 MB', '1.5 MB', '50 MB']);
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
