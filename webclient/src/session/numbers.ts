// The highest number of each writer of a room, whatever of the room is in memory: what comes again at
// a new place is known by it, also after a reload.
import type { Highest, KeptNumbers } from '../local/history';
import type { Fact } from './fact';

/** Writers, and places of events out of turn, that are remembered at most: the first ones go. */
const WRITERS = 500;
const LATE = 500;

/** A position counts with the event that is there: a box that was restored gives it anew. */
const placeOf = (position: number, id: string): string => `${position} ${id}`;

/** What an event that verified says of its writer; the numbers of others nobody has signed. */
function said(fact: Fact): Highest | null {
  if (fact.kind !== 'event' || fact.number === null) return null;
  const { writer, seq } = fact.number;
  return [`${fact.sender} ${writer}`, seq, fact.position, fact.id];
}

export class Numbers {
  readonly #highest: Map<string, Highest>;
  readonly #late: Set<string>;

  constructor(kept?: KeptNumbers) {
    this.#highest = new Map(kept?.highest.map((one) => [one[0], one]));
    this.#late = new Set(kept?.late);
  }

  /**
   * Takes events of whatever places, each as often as it is read. True: one has a higher number than
   * what came after it, so that all that came after it is to be taken again.
   */
  note(facts: readonly Fact[]): boolean {
    let again = false;
    for (const fact of facts) {
      const now = said(fact);
      if (now === null) continue;
      const [writer, seq, position, id] = now;
      const [, highest, at, which] = this.#highest.get(writer) ?? [writer, 0, 0, ''];
      if (position > at && seq <= highest) this.#late.add(placeOf(position, id));
      if (position < at && seq >= highest) {
        this.#late.add(placeOf(at, which));
        again = true;
      }
      if (position < at ? seq < highest : seq <= highest) continue;
      this.#highest.delete(writer);
      this.#highest.set(writer, now);
    }
    this.#bound();
    return again;
  }

  #bound(): void {
    for (const writer of this.#highest.keys()) {
      if (this.#highest.size > WRITERS) this.#highest.delete(writer);
    }
    for (const place of this.#late) if (this.#late.size > LATE) this.#late.delete(place);
  }

  /** Whether this is an event that its writer sent before one that stands at an earlier place. */
  isLate(fact: Fact): boolean {
    return fact.kind === 'event' && this.#late.has(placeOf(fact.position, fact.id));
  }

  /** To be kept, and given to the next one. */
  kept(): KeptNumbers {
    return { highest: [...this.#highest.values()], late: [...this.#late] };
  }
}
