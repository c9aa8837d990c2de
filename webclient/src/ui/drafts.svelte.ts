// What is half written, by room: shown at once, kept a moment later, also of who types without a rest.
import { SvelteMap } from 'svelte/reactivity';
import type { App } from '../state/model';

/** How long after a key a draft is kept at the latest, in ms. */
const keptMs = 150;
/** How long after it was sent it is kept no more, in ms: it lies in the outbox by then. */
const sentMs = 400;

/** Drafts of the screens over the ones the application keeps sealed. */
export class Drafts {
  readonly #app: Pick<App, 'draft' | 'keepDraft'>;
  readonly #typed = new SvelteMap<string, string>();
  readonly #timers = new Map<string, ReturnType<typeof setTimeout>>();

  constructor(app: Pick<App, 'draft' | 'keepDraft'>) {
    this.#app = app;
  }

  /** The draft of a room; empty when there is none. */
  of(room: string): string {
    return this.#typed.get(room) ?? this.#app.draft(room);
  }

  /** Something was typed. A sent text stays kept until it lies in the outbox: rather twice than lost. */
  type(room: string, text: string): void {
    // The last letters of what goes out; said once more, it has gone out.
    if (text === '' && this.#timers.has(room)) {
      const gone = this.#typed.get(room) === '';
      this.#keep(room);
      if (gone) return;
    }
    this.#typed.set(room, text);
    if (this.#timers.has(room)) return;
    const afterMs = text === '' ? sentMs : keptMs;
    this.#timers.set(
      room,
      setTimeout(() => this.#keep(room), afterMs),
    );
  }

  /** The page goes away: keeps what still waits, and gives up nothing that was just sent. */
  keepAll(): void {
    for (const room of [...this.#timers.keys()]) if (this.#typed.get(room) !== '') this.#keep(room);
  }

  #keep(room: string): void {
    clearTimeout(this.#timers.get(room));
    this.#timers.delete(room);
    this.#app.keepDraft(room, this.#typed.get(room) ?? '');
  }
}
