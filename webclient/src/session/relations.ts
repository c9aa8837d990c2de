// What later events say about earlier ones, kept after both have left memory: answers, edits, reactions,
// erasures by their target, and messages that may be quoted.
import type { Fact } from './fact';

/** Targets, and messages for quotes, that are remembered at most. */
const TARGETS = 10_000;
const QUOTABLE = 2_000;

export type EventFact = Extract<Fact, { kind: 'event' }>;

/** What a fact is about, when it is about another one. */
export function targetOf(fact: Fact): string | null {
  if (fact.kind === 'line') return fact.line.type === 'erased' ? fact.line.target : null;
  if (fact.kind !== 'event' || fact.body.type === 'room') return null;
  return fact.body.type === 'message' ? fact.body.parentId : fact.body.target;
}

const isAnswer = (fact: Fact): fact is EventFact =>
  fact.kind === 'event' && fact.body.type === 'message';

/** Keeps the map at `most` entries: the first ones go. */
function bounded<K, V>(map: Map<K, V>, most: number): void {
  for (const key of map.keys()) {
    if (map.size <= most) return;
    map.delete(key);
  }
}

export class Relations {
  readonly #about = new Map<string, Map<number, Fact>>();
  readonly #quotable = new Map<string, EventFact>();
  /** Rises with every change. */
  version = 0;

  /** Takes what was opened. */
  note(facts: readonly Fact[]): void {
    for (const fact of facts) {
      const target = targetOf(fact);
      if (target === null) continue;
      const known = this.#about.get(target) ?? new Map<number, Fact>();
      this.#about.delete(target);
      this.#about.set(target, known.set(fact.position, fact));
      this.version += 1;
    }
    bounded(this.#about, TARGETS);
  }

  /** Messages that leave memory. */
  leave(facts: readonly Fact[]): void {
    for (const fact of facts) if (isAnswer(fact)) this.#quotable.set(fact.id, fact);
    bounded(this.#quotable, QUOTABLE);
  }

  /** A message that was in memory, for a quote. */
  quotable(id: string): EventFact | null {
    return this.#quotable.get(id) ?? null;
  }

  /** The answers to a message, ascending, as far as they were read. */
  answers(id: string): EventFact[] {
    const about = [...(this.#about.get(id)?.values() ?? [])];
    return about.filter(isAnswer).sort((a, b) => a.position - b.position);
  }

  /** What changes these messages and comes after `position`; answers are no change. */
  changesAfter(position: number, facts: readonly Fact[]): Fact[] {
    const found = facts.flatMap((fact) => {
      const about = 'id' in fact && fact.id !== null ? this.#about.get(fact.id) : undefined;
      return about === undefined ? [] : [...about.values()];
    });
    return found
      .filter((fact) => fact.position > position && !isAnswer(fact))
      .sort((a, b) => a.position - b.position);
  }
}
