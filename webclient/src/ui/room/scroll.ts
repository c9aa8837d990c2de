// A list that grows at both ends and stays where the reader is.

/** How far from the end still counts as being at the newest message, in px. */
const nearEndPx = 48;

interface Anchor {
  readonly element: Element;
  readonly top: number;
}

/** Holds the place of the reader in `box` while its rows change. */
export class ScrollPlace {
  readonly #box: HTMLElement;
  #atEnd = true;
  #anchor: Anchor | null = null;

  constructor(box: HTMLElement) {
    this.#box = box;
  }

  /** Whether the newest message is in view, as of the last scroll. */
  get atEnd(): boolean {
    return this.#atEnd;
  }

  /** After the reader scrolled. */
  noteScroll(): void {
    const { scrollHeight, scrollTop, clientHeight } = this.#box;
    this.#atEnd = scrollHeight - scrollTop - clientHeight <= nearEndPx;
  }

  /** Before the rows change: remembers the first row in view. */
  before(): void {
    const top = this.#box.getBoundingClientRect().top;
    this.#anchor = null;
    for (const element of this.#box.querySelectorAll('[data-row]')) {
      const place = element.getBoundingClientRect();
      if (place.bottom > top) {
        this.#anchor = { element, top: place.top };
        return;
      }
    }
  }

  /** After the rows changed: back to the end, or to the remembered row. */
  after(): void {
    if (this.#atEnd) {
      this.toEnd();
    } else if (this.#anchor?.element.isConnected === true) {
      const moved = this.#anchor.element.getBoundingClientRect().top - this.#anchor.top;
      if (moved !== 0) this.#box.scrollTop += moved;
    }
    this.#anchor = null;
  }

  /** To the newest message. */
  toEnd(): void {
    this.#box.scrollTop = this.#box.scrollHeight;
    this.#atEnd = true;
  }
}
