// The emoji of the picker with their names, loaded in one language when the picker is opened.
import { folded } from '../../protocol/folded';
import type { Language } from '../words/catalogue.svelte';

export interface Emoji {
  readonly sign: string;
  readonly name: string;
  /** What it is found by, folded. */
  readonly words: string;
}

/** The groups of a list as `scripts/emoji.mjs` writes it. */
export function groupsOf(list: string): Emoji[][] {
  return list
    .trim()
    .split('\n\n')
    .map((group) =>
      group.split('\n').map((line) => {
        const [sign = '', name = '', more = ''] = line.split('\t');
        return { sign, name, words: folded(`${name} ${more}`) };
      }),
    );
}

/** The emoji by groups: faces, people, nature, food, travel, activities, things, symbols, flags. */
export async function loadEmoji(language: Language): Promise<Emoji[][]> {
  const loaded = language === 'fr' ? import('./fr.txt?raw') : import('./en.txt?raw');
  return groupsOf((await loaded).default);
}

const FOUND_MAX = 80;

/** Those of which each word of the query begins some word. */
export function findEmoji(groups: readonly (readonly Emoji[])[], query: string): Emoji[] {
  const wanted = folded(query).split(/\s+/).filter(Boolean);
  const begins = (words: string, part: string): boolean => ` ${words}`.includes(` ${part}`);
  return groups
    .flat()
    .filter(({ words }) => wanted.every((part) => begins(words, part)))
    .slice(0, FOUND_MAX);
}
