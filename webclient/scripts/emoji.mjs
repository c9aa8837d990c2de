// Writes the lists of the emoji picker from emojibase-data (MIT), which is not a dependency:
//   npm pack emojibase-data && tar xzf emojibase-data-*.tgz && node scripts/emoji.mjs package
// One line an emoji: the sign, its name, then words to find it by; an empty line ends a group.
import { readFileSync, writeFileSync } from 'node:fs';

const from = process.argv[2];
if (from === undefined) throw new Error('say where the unpacked package lies');
/** Newer emoji are missing on devices of a few years ago. */
const NEWEST = 15;
/** Groups of emojibase that are pieces, not signs. */
const PIECES = 2;

for (const language of ['en', 'fr']) {
  const all = JSON.parse(readFileSync(`${from}/${language}/data.json`, 'utf8'));
  const groups = new Map();
  for (const one of all.toSorted((a, b) => (a.order ?? 0) - (b.order ?? 0))) {
    if (one.group === undefined || one.group === PIECES || one.version > NEWEST) continue;
    const name = one.label.toLowerCase();
    const known = new Set(name.split(/[\s:,]+/));
    const tags = (one.tags ?? []).filter((tag) => !known.has(tag)).slice(0, 4);
    const rows = groups.get(one.group) ?? [];
    rows.push([one.emoji, name, tags.join(' ')].join('\t').trimEnd());
    groups.set(one.group, rows);
  }
  const sorted = [...groups].sort(([a], [b]) => a - b).map(([, rows]) => rows.join('\n'));
  writeFileSync(`src/ui/emoji/${language}.txt`, `${sorted.join('\n\n')}\n`);
}
