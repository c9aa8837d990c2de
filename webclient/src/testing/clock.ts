// A clock that tests move, and waiting for a state instead of for time.
import type { Clock } from '../session/clock';

interface Timer {
  readonly at: number;
  readonly run: () => void;
}

export class FakeClock implements Clock {
  #now: number;
  #timers: Timer[] = [];

  constructor(now = 1_760_000_000_000) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  after(ms: number, run: () => void): () => void {
    const timer: Timer = { at: this.#now + ms, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  get waiting(): number {
    return this.#timers.length;
  }

  /** Moves on, running what falls due in its order. */
  elapse(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
  }
}

/** A value that tests set and wait for. */
export class Watch<S> {
  #listeners = new Set<(state: S) => void>();
  state: S;

  constructor(state: S) {
    this.state = state;
  }

  set(state: S): void {
    this.state = state;
    for (const listener of [...this.#listeners]) listener(state);
  }

  subscribe(run: (state: S) => void): () => void {
    this.#listeners.add(run);
    run(this.state);
    return () => void this.#listeners.delete(run);
  }
}

interface Watched<S> {
  readonly state: S;
  subscribe(run: (state: S) => void): () => void;
}

/** Resolves with the state once it is as wanted; the test's own timeout ends a vain wait. */
export function until<S>(watched: Watched<S>, wanted: (state: S) => boolean): Promise<S> {
  return new Promise((resolve) => {
    const seen = { done: false, end: (): void => undefined };
    seen.end = watched.subscribe((state) => {
      if (seen.done || !wanted(state)) return;
      seen.done = true;
      queueMicrotask(() => seen.end());
      resolve(state);
    });
  });
}

/** For `vi.waitFor`, whose own second is short on a busy machine; below a test's own timeout. */
export const PATIENCE = { timeout: 50_000 };

/** Like `until`, for what also waits for the clock: moves it on, half a second at a time. */
export async function elapsing<S>(
  clock: FakeClock,
  watched: Watched<S>,
  wanted: (state: S) => boolean,
): Promise<S> {
  while (!wanted(watched.state)) {
    clock.elapse(500);
    await new Promise((next) => setImmediate(next));
  }
  return watched.state;
}
