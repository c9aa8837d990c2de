// A value that tells when it changes: Svelte's store contract without Svelte.

export class Observable<T> {
  #value: T;
  readonly #listeners = new Set<(value: T) => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  /** A new value; everybody who listens is told at once. */
  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  update(change: Partial<T>): void {
    this.set({ ...this.#value, ...change });
  }

  /** Calls at once with the value, then at each change. */
  subscribe(run: (value: T) => void): () => void {
    this.#listeners.add(run);
    run(this.#value);
    return () => void this.#listeners.delete(run);
  }
}
