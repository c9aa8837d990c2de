// What is offered while one types, which of the offers is chosen, and what its keys do.
import { completionAt, type Completion, type Known, type Offer } from './completion';

export interface CompletingDeps {
  readonly text: () => string;
  readonly known: () => Known;
  /** In place of a stretch of the text. */
  readonly insert: (from: number, to: number, what: string) => void;
}

export class Completing {
  readonly #deps: CompletingDeps;
  #caret = $state(0);
  chosen = $state(0);
  /** The text for which the offers were sent away. */
  #declined = $state<string | null>(null);

  constructor(deps: CompletingDeps) {
    this.#deps = deps;
    this.#caret = deps.text().length;
  }

  readonly found: Completion | null = $derived.by(() => {
    const text = this.#deps.text();
    return this.#declined === text ? null : completionAt(text, this.#caret, this.#deps.known());
  });

  get caret(): number {
    return this.#caret;
  }

  /** The caret went elsewhere, or stayed. */
  moved(caret: number): void {
    if (caret === this.#caret) return;
    this.#caret = caret;
    this.chosen = 0;
  }

  /** Something was typed. */
  typed(caret: number): void {
    this.#caret = caret;
    this.chosen = 0;
    this.#declined = null;
  }

  /** Nothing is offered for this text, before something is typed. */
  decline(text: string, caret: number): void {
    this.#caret = caret;
    this.#declined = text;
  }

  take(offer: Offer): void {
    if (this.found !== null) this.#deps.insert(this.found.from, this.found.to, offer.insert);
  }

  /** Keys of the offers; true: used. */
  key(event: KeyboardEvent): boolean {
    const { found } = this;
    if (found === null) return false;
    const { offers } = found;
    const offer = offers[this.chosen];
    if (event.key === 'ArrowDown') this.chosen = (this.chosen + 1) % offers.length;
    else if (event.key === 'ArrowUp')
      this.chosen = (this.chosen - 1 + offers.length) % offers.length;
    else if (event.key === 'Escape') this.#declined = this.#deps.text();
    else if ((event.key === 'Enter' || event.key === 'Tab') && offer !== undefined) {
      // A command that is written out is sent.
      const whole = this.#deps.text().slice(found.from, found.to) === offer.insert.trim();
      if (event.key === 'Enter' && whole) return false;
      this.take(offer);
    } else return false;
    return true;
  }
}
