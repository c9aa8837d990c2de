// The order of each writer's events (sealing.md §4): what is missing, comes again, or was sent twice.

/** Where an event stands among those of its writer. */
export interface Numbered {
  readonly writer: number;
  readonly seq: number;
}

/** What does not fit about an event's number. */
export type Strange = 'copied_writer' | 'out_of_turn';

export interface Fit {
  /** Events of the writer before this one that are not here, though all around them is. */
  readonly missing: number;
  readonly strange: Strange | null;
}

/** What one writer has numbered so far. */
interface Writer {
  seq: number;
  readonly ids: Map<number, string>;
  /** The run in which its last event was. */
  run: number;
}

export class Order {
  readonly #begins: boolean;
  readonly #ids = new Set<string>();
  readonly #writers = new Map<string, Writer>();
  #run = 0;

  /** `begins`: what is taken first begins with the room's first event. */
  constructor(begins: boolean) {
    this.#begins = begins;
  }

  /** What follows is not beside what came before: something between them was not read. */
  skip(): void {
    this.#run += 1;
  }

  /** Whether an id is new; a known one is to be dropped. */
  isNew(id: string): boolean {
    if (this.#ids.has(id)) return false;
    this.#ids.add(id);
    return true;
  }

  knows(id: string): boolean {
    return this.#ids.has(id);
  }

  /** The next event of ascending positions, whose id is new. */
  take(sender: string, { writer, seq }: Numbered, id: string): Fit {
    const key = `${sender} ${writer}`;
    const known = this.#writers.get(key);
    if (known === undefined) {
      this.#writers.set(key, { seq, ids: new Map([[seq, id]]), run: this.#run });
      return { missing: this.#begins && this.#run === 0 ? seq - 1 : 0, strange: null };
    }
    const copied = known.ids.has(seq);
    // A writer's numbers rise with the positions: a lower one was written before, and comes again.
    const late = seq < known.seq;
    const missing = known.run === this.#run ? Math.max(0, seq - known.seq - 1) : 0;
    known.ids.set(seq, id);
    if (!late) Object.assign(known, { seq, run: this.#run });
    return { missing, strange: copied ? 'copied_writer' : late ? 'out_of_turn' : null };
  }
}
