// Who is named in a text: `@name`, by the names of the people in the room.

const NAMED = /(?<![\w@/.])@([A-Za-z0-9_]{3,20})(?!\w)/g;

/** Where names stand in a text, `@` included. */
export interface Named {
  readonly from: number;
  readonly to: number;
  /** As it was written, without `@`. */
  readonly name: string;
}

/** Every `@name` of a text, whether there is such a person or not. */
export function namedIn(text: string): Named[] {
  return [...text.matchAll(NAMED)].map((match) => ({
    from: match.index,
    to: match.index + match[0].length,
    name: match[1] ?? '',
  }));
}

/** The people that a text names, each once. Names are unique without regard to case. */
export function mentioned<P extends { readonly name: string }>(
  text: string,
  people: readonly P[],
): P[] {
  const names = new Set(namedIn(text).map(({ name }) => name.toLowerCase()));
  return people.filter(({ name }) => names.has(name.toLowerCase()));
}
