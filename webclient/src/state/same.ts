// Values that are shown again: what has not changed stays the very same, so that nobody draws it anew.

/** Whether two plain values say the same. Made for what screens get: no cycles, no class instances. */
export function same(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true;
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) {
    return false;
  }
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const entries = Object.entries(one);
  if (entries.length !== Object.keys(other).length) return false;
  return entries.every(([key, value]) => same(value, Reflect.get(other, key)));
}

/** `after`, with those entries of `before` that have not changed, by their ids. */
export function unchanged<T extends { readonly id: string }>(
  before: readonly T[],
  after: readonly T[],
): T[] {
  const known = new Map(before.map((entry) => [entry.id, entry]));
  return after.map((entry) => {
    const kept = known.get(entry.id);
    return kept !== undefined && same(kept, entry) ? kept : entry;
  });
}
