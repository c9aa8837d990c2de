// The lists of the picker, and finding in them.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findEmoji, groupsOf } from './emoji';

const list = (language: string) =>
  groupsOf(readFileSync(new URL(`${language}.txt`, import.meta.url), 'utf8'));

test.each(['en', 'fr'])('the list of %s is whole', (language) => {
  const groups = list(language);
  expect(groups.length).toBe(9);
  expect(groups.flat().length).toBeGreaterThan(1_500);
  for (const { sign, name } of groups.flat()) expect([sign, name]).not.toContain('');
  expect(new Set(groups.flat().map(({ sign }) => sign)).size).toBe(groups.flat().length);
});

test('emoji are found by the beginnings of their words, without accents', () => {
  const signs = (language: string, query: string): string[] =>
    findEmoji(list(language), query).map(({ sign }) => sign);
  expect(signs('en', 'bread')).toContain('🍞');
  expect(signs('en', 'red hea')).toContain('❤️');
  expect(signs('fr', 'etoile')).toContain('⭐️');
  expect(signs('en', 'xyzzy')).toEqual([]);
});
