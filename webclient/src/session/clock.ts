// Time and chance as values, so that tests can hold them still.

export interface Clock {
  /** ms since 1970. */
  now(): number;
  /** Runs later; the answer cancels. */
  after(ms: number, run: () => void): () => void;
}

export const wallClock: Clock = {
  now: () => Date.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** A number in [0, 1). */
export type Chance = () => number;

/** The wait before try number `attempt` (from 0): doubles to a minute, half of it by chance. */
export function backOff(attempt: number, chance: Chance): number {
  const whole = Math.min(60_000, 500 * 2 ** Math.min(attempt, 10));
  return Math.round(whole / 2 + (whole / 2) * chance());
}
