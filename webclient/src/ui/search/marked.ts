// A text with the words that were looked for set apart, and only as much of it as helps.
import { folded, wordsOf } from '../../protocol/folded';

export interface Piece {
  readonly text: string;
  readonly hit: boolean;
}

/** Characters before the first hit, and in all. */
const BEFORE = 60;
const IN_ALL = 260;

/** `terms` are folded words. */
export function marked(text: string, terms: readonly string[]): Piece[] {
  const hits = wordsOf(text).filter(([word]) => terms.includes(folded(word)));
  const first = hits[0]?.index ?? 0;
  const from = first > BEFORE ? text.indexOf(' ', first - BEFORE) + 1 : 0;
  const to = Math.min(text.length, from + IN_ALL);
  const pieces: Piece[] = [];
  if (from > 0) pieces.push({ text: '… ', hit: false });
  let at = from;
  for (const { 0: word, index } of hits) {
    if (index < at || index >= to) continue;
    if (index > at) pieces.push({ text: text.slice(at, index), hit: false });
    pieces.push({ text: word, hit: true });
    at = index + word.length;
  }
  if (at < to) pieces.push({ text: text.slice(at, to), hit: false });
  if (to < text.length) pieces.push({ text: ' …', hit: false });
  return pieces;
}
