// One action at a time for a form: whether it is under way, and what went wrong.
import type { Problem } from '../state/model';
import { asProblem } from './problem';
import { words } from './words/catalogue.svelte';

/** Runs actions for a form and holds what the form shows about them. */
export class Attempt {
  busy = $state(false);
  problem = $state<Problem | null>(null);
  #asked = 0;

  /** Runs `action` unless one is under way; the result, or undefined when it failed. */
  async run<T>(action: () => Promise<T>): Promise<T | undefined> {
    if (this.busy) return undefined;
    this.busy = true;
    try {
      return await this.beside(action);
    } finally {
      this.busy = false;
    }
  }

  /** Runs `action` beside others; the result, or undefined when it failed. */
  async beside<T>(action: () => Promise<T>): Promise<T | undefined> {
    this.problem = null;
    try {
      return await action();
    } catch (thrown) {
      this.problem = asProblem(thrown, words());
      return undefined;
    }
  }

  /** Like `beside`, for what is read again and again: undefined, too, once it was asked for anew. */
  async newest<T>(action: () => Promise<T>): Promise<T | undefined> {
    this.#asked += 1;
    const asked = this.#asked;
    const read = await this.beside(action);
    return asked === this.#asked ? read : undefined;
  }
}
