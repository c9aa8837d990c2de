// Things by a few letters of their name.
import { folded } from '../../protocol/folded';

/** Those with `wanted` in one of their names; those with a name that begins so first. */
export function matchingBy<T>(
  all: readonly T[],
  wanted: string,
  namesOf: (one: T) => readonly string[],
): T[] {
  const needle = folded(wanted.trim());
  const rank = (one: T): number => {
    const places = namesOf(one).map((name) => folded(name).indexOf(needle));
    return places.includes(0) ? 0 : places.some((at) => at > 0) ? 1 : 2;
  };
  return all
    .map((one) => ({ one, rank: rank(one) }))
    .filter((entry) => entry.rank < 2)
    .sort((a, b) => a.rank - b.rank)
    .map((entry) => entry.one);
}
