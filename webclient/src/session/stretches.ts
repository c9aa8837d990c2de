// What of a room's history is in memory: the newest, and apart from them what is read further up.
import type { Fact } from './fact';
import { PAGE, type Place } from './pages';
import type { EventFact, Relations } from './relations';
import { Stretch, type Span } from './stretch';

/** Items in memory at most around what is read; of the newest, when they are read or not. */
export const WINDOW = 600;
const NEWEST = 300;

export class Stretches {
  readonly #relations: Relations;
  /** The newest items; what comes is put here. */
  #tail = new Stretch({ from: 1, to: 0 });
  /** What is read when that is not the newest. */
  #away: Stretch | null = null;
  /** The reader is at the end: the oldest of the newest may leave memory. */
  #following = true;
  #shown: { of: readonly Fact[]; version: number; facts: readonly Fact[] } | null = null;

  constructor(relations: Relations) {
    this.#relations = relations;
  }

  /** The newest items. */
  get tail(): Stretch {
    return this.#tail;
  }

  /** What is read when that is not the newest, else null. */
  get away(): Stretch | null {
    return this.#away;
  }

  get reading(): Stretch {
    return this.#away ?? this.#tail;
  }

  /**
   * What is read, ascending: a run of positions, and after it what changes messages of the run from
   * further on. The same array as long as nothing has changed.
   */
  facts(): readonly Fact[] {
    const { facts: of, high } = this.reading;
    if (this.#away === null) return of;
    const { version } = this.#relations;
    if (this.#shown?.of === of && this.#shown.version === version) return this.#shown.facts;
    const facts = [...of, ...this.#relations.changesAfter(high, of)];
    this.#shown = { of, version, facts };
    return facts;
  }

  /** Begins the newest anew. */
  begin(span: Span): void {
    this.#tail = new Stretch(span);
  }

  has(position: number): boolean {
    return this.#tail.has(position) || this.#away?.has(position) === true;
  }

  put(facts: readonly Fact[]): void {
    this.#tail.put(facts);
    this.#away?.put(facts);
  }

  /** The reader is at the end of what is shown, or somewhere above it. */
  follow(on: boolean): void {
    this.#following = on;
  }

  /** The newest do not pile up: who reads further up keeps what they read apart from them. */
  bound(): void {
    const { length } = this.#tail.facts;
    if (length <= NEWEST || (length <= WINDOW && !this.#following && this.#away === null)) return;
    if (!this.#following) this.#away ??= this.#tail.copy();
    this.#relations.leave(this.#tail.keepNewest(NEWEST - PAGE));
  }

  /** What is read has grown at its old end. */
  boundOlder(): void {
    if (this.reading.facts.length <= WINDOW) return;
    const away = this.#away ?? this.#tail.copy();
    if (this.#away === null) this.#tail.keepNewest(NEWEST - PAGE);
    this.#relations.leave(away.keepOldest(WINDOW));
    this.#away = away;
  }

  /** What is read has grown at its new end, perhaps up to the newest. */
  boundNewer(away: Stretch): void {
    if (!this.settle(away)) this.#relations.leave(away.keepNewest(WINDOW));
  }

  /** Reads elsewhere than at the newest: of that stretch nothing is here yet. */
  leave(span: Span): Stretch {
    this.#away = new Stretch(span);
    return this.#away;
  }

  /** What is read elsewhere and has reached the newest is read with them; false: it has not. */
  settle(away: Stretch): boolean {
    if (away.high < this.#tail.low - 1) return false;
    this.#tail.extend({ from: away.low, to: away.high });
    this.#tail.put(away.facts);
    this.#relations.leave(this.#tail.keepNewest(WINDOW));
    this.#away = null;
    return true;
  }

  /** Reads the newest. */
  toNewest(): void {
    this.#away = null;
    this.#following = true;
    this.bound();
  }

  /** Where a place is in what is read, else in the newest, which are then read; null: in neither. */
  turnTo(place: Place): number | null {
    const here = find(place, this.reading);
    if (here !== null) return here;
    const end = find(place, this.#tail);
    if (end !== null) this.#away = null;
    return end;
  }

  /** A message of those in memory. */
  message(id: string): EventFact | null {
    const is = (fact: Fact): fact is EventFact => fact.kind === 'event' && fact.id === id;
    return this.reading.facts.find(is) ?? this.#tail.facts.find(is) ?? null;
  }
}

/** The position of a place within a stretch, null where it is not in it. */
export function find(place: Place, { facts, low, high }: Stretch): number | null {
  if (typeof place === 'number') return place >= low && place <= high ? place : null;
  return facts.find((fact) => 'id' in fact && fact.id === place)?.position ?? null;
}
