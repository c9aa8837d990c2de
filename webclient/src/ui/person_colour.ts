// One of eight colours for each person, the same in every browser.

/** The name of the token for an id: `--person-1` … `--person-8`. */
export function personColour(id: string): string {
  let hash = 0x811c9dc5;
  for (const character of id) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return `var(--person-${((hash >>> 0) % 8) + 1})`;
}

/** The first letter, or the first sign, to stand for a name. */
export function initial(name: string): string {
  return [...name.trim()][0]?.toLocaleUpperCase() ?? '?';
}
