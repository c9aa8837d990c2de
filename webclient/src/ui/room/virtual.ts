// Which rows of a long list are drawn, and where: heights as measured, guessed where never drawn.

/** Height of a row that was never drawn, in px. */
export const GUESS = 56;
/** Heights that are remembered at most. */
const REMEMBERED = 20_000;

/** Rows `from` up to, not including, `to`. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A drawn row: which, and how much room is left free above it, in px. */
export interface Placed {
  readonly index: number;
  readonly gap: number;
}

export class RowHeights {
  readonly #heights = new Map<string, number>();
  #keys: readonly string[] = [];
  /** Where each row begins, and at the end where the list ends. */
  #tops = new Float64Array(1);
  #stale = false;

  setKeys(keys: readonly string[]): void {
    this.#keys = keys;
    this.#stale = true;
  }

  /** True when the row has another height than was known. */
  measured(key: string, height: number): boolean {
    if (this.#heights.get(key) === height) return false;
    this.#heights.delete(key);
    this.#heights.set(key, height);
    for (const first of this.#heights.keys()) {
      if (this.#heights.size <= REMEMBERED) break;
      this.#heights.delete(first);
    }
    this.#stale = true;
    return true;
  }

  #laidOut(): Float64Array {
    if (!this.#stale) return this.#tops;
    this.#stale = false;
    const tops = new Float64Array(this.#keys.length + 1);
    let top = 0;
    this.#keys.forEach((key, index) => {
      tops[index] = top;
      top += this.#heights.get(key) ?? GUESS;
    });
    tops[this.#keys.length] = top;
    this.#tops = tops;
    return tops;
  }

  get count(): number {
    return this.#keys.length;
  }

  get total(): number {
    return this.#laidOut()[this.#keys.length] ?? 0;
  }

  /** Where a row begins; the list's end for what lies behind it. */
  top(index: number): number {
    return this.#laidOut()[Math.max(0, Math.min(index, this.#keys.length))] ?? 0;
  }

  key(index: number): string | undefined {
    return this.#keys[index];
  }

  indexOf(key: string): number {
    return this.#keys.indexOf(key);
  }

  /** The row at a height from the list's top; the last one for what lies below. */
  at(y: number): number {
    const tops = this.#laidOut();
    let [low, high] = [0, Math.max(0, this.#keys.length - 1)];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((tops[middle] ?? 0) <= y) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The rows that lie between two heights. */
  between(from: number, to: number): Range {
    if (this.#keys.length === 0) return { from: 0, to: 0 };
    return { from: this.at(from), to: this.at(to) + 1 };
  }

  /** Where the rows of a range stand, and one more that must not go, such as the one with the focus. */
  placed({ from, to }: Range, also: number): Placed[] {
    const indexes = Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n);
    if (also >= 0 && also < this.#keys.length && (also < from || also >= to)) {
      indexes.push(also);
      indexes.sort((a, b) => a - b);
    }
    let end = 0;
    return indexes.map((index) => {
      const gap = this.top(index) - end;
      end = this.top(index + 1);
      return { index, gap };
    });
  }

  /** How much room is left free below the last drawn row, in px. */
  after(placed: readonly Placed[]): number {
    return this.total - this.top((placed.at(-1)?.index ?? -1) + 1);
  }
}
