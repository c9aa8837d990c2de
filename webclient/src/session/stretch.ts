// Facts of a run of positions, ascending, with nothing missing between; it grows and is cut at both ends.
import type { Fact } from './fact';

/** Positions, both inclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export class Stretch {
  #low: number;
  #high: number;
  #facts: readonly Fact[];

  /** Speaks for `span`, of which nothing is here yet; `to` below `from`: no position at all. */
  constructor({ from, to }: Span, facts: readonly Fact[] = []) {
    this.#low = from;
    this.#high = to;
    this.#facts = facts;
  }

  /** The lowest position that it speaks for. */
  get low(): number {
    return this.#low;
  }

  /** The highest position that it speaks for. */
  get high(): number {
    return this.#high;
  }

  /** The same array as long as nothing has changed. */
  get facts(): readonly Fact[] {
    return this.#facts;
  }

  has(position: number): boolean {
    return position >= this.#low && position <= this.#high;
  }

  copy(): Stretch {
    return new Stretch({ from: this.#low, to: this.#high }, this.#facts);
  }

  /** Speaks for a stretch beside it, too. */
  extend({ from, to }: Span): void {
    this.#low = Math.min(this.#low, from);
    this.#high = Math.max(this.#high, to);
  }

  /** Takes those facts whose positions it speaks for, in the place of what was there. */
  put(facts: readonly Fact[]): void {
    const mine = facts.filter(({ position }) => this.has(position));
    const [first, last] = [mine[0], mine.at(-1)];
    if (first === undefined || last === undefined) return;
    const ascending = mine.every(({ position }, n) => position > (mine[n - 1]?.position ?? -1));
    const [lowest, highest] = [this.#facts[0], this.#facts.at(-1)];
    if (ascending && (highest === undefined || first.position > highest.position)) {
      this.#facts = [...this.#facts, ...mine];
    } else if (ascending && lowest !== undefined && last.position < lowest.position) {
      this.#facts = [...mine, ...this.#facts];
    } else {
      const all = new Map(this.#facts.map((fact) => [fact.position, fact]));
      for (const fact of mine) all.set(fact.position, fact);
      this.#facts = [...all.values()].sort((a, b) => a.position - b.position);
    }
  }

  /** Only the `count` newest stay. Gives what went. */
  keepNewest(count: number): readonly Fact[] {
    const cut = this.#facts.length - count;
    if (cut <= 0) return [];
    const gone = this.#facts.slice(0, cut);
    this.#facts = this.#facts.slice(cut);
    this.#low = this.#facts[0]?.position ?? this.#high + 1;
    return gone;
  }

  /** Only the `count` oldest stay. Gives what went. */
  keepOldest(count: number): readonly Fact[] {
    if (this.#facts.length <= count) return [];
    const gone = this.#facts.slice(count);
    this.#facts = this.#facts.slice(0, count);
    this.#high = this.#facts.at(-1)?.position ?? this.#low - 1;
    return gone;
  }
}
