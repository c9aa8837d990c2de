// A long list that stays where the reader is, whatever grows, comes or goes around it.
import { stays } from './rows';
import { RowHeights, type Placed, type Range } from './virtual';

/** How far from the end still counts as being at the newest message, in px. */
const nearEndPx = 48;
/** Rows are drawn this far beyond what is in view, in px. */
const beyondPx = 700;

/** A row and where its top is, in px below the top of what is in view. */
interface Anchor {
  readonly key: string;
  readonly top: number;
}

/** Draws the rows in view of a list in `box` and holds the reader's place. */
export class ScrollPlace {
  readonly #heights = new RowHeights();
  #box: HTMLElement | null = null;
  #list: HTMLElement | null = null;
  #atEnd = true;
  /** What is shown ends with the newest: whoever is at its end stays there. */
  #sticky = true;
  #anchor: Anchor | null = null;
  #range = $state.raw<Range>({ from: 0, to: 0 });
  /** Rises when a height or a key has changed. */
  #version = $state(0);
  /** The key of the row with the focus: it is drawn wherever it stands. */
  focused = $state<string | null>(null);

  /** What is drawn. */
  readonly placed: readonly Placed[] = $derived.by(() => {
    if (this.#version < 0) return [];
    const also = this.focused === null ? -1 : this.#heights.indexOf(this.focused);
    return this.#heights.placed(this.#range, also);
  });
  /** Room below the last drawn row, in px. */
  readonly after: number = $derived(this.#heights.after(this.placed));

  readonly #watch =
    typeof ResizeObserver === 'undefined'
      ? null
      : new ResizeObserver((entries) => this.#resized(entries));

  /** Takes the element that scrolls and the list in it. */
  hold(box: HTMLElement, list: HTMLElement): () => void {
    this.#box = box;
    this.#list = list;
    this.#watch?.observe(box);
    this.#toEnd();
    return () => this.#watch?.disconnect();
  }

  /** Whether the newest message is in view, as of the last scroll. */
  get atEnd(): boolean {
    return this.#atEnd && this.#sticky;
  }

  /** How much is left above and below what is in view, in px. */
  get left(): { readonly above: number; readonly below: number } {
    const box = this.#box;
    if (box === null) return { above: Infinity, below: Infinity };
    const { scrollHeight, scrollTop, clientHeight } = box;
    return { above: scrollTop, below: scrollHeight - scrollTop - clientHeight };
  }

  /** The rows as they are from now on. `sticky`: they end with the newest. */
  setRows(keys: readonly string[], sticky: boolean): void {
    this.#sticky = sticky;
    this.#heights.setKeys(keys);
    this.#redraw();
  }

  #redraw(): void {
    this.#version += 1;
    const { clientHeight = 800 } = this.#box ?? {};
    const from = this.#viewTop(clientHeight);
    const range = this.#heights.between(from - beyondPx, from + clientHeight + beyondPx);
    if (range.from !== this.#range.from || range.to !== this.#range.to) this.#range = range;
  }

  /** Where what is in view begins, in px from the list's top. */
  #viewTop(height: number): number {
    if (this.atEnd) return this.#heights.total - height;
    const index = this.#anchor === null ? -1 : this.#heights.indexOf(this.#anchor.key);
    if (this.#anchor !== null && index >= 0) return this.#heights.top(index) - this.#anchor.top;
    return this.#box === null ? 0 : this.#box.scrollTop - this.#listTop();
  }

  #listTop(): number {
    if (this.#box === null || this.#list === null) return 0;
    const { top } = this.#list.getBoundingClientRect();
    return top - this.#box.getBoundingClientRect().top + this.#box.scrollTop;
  }

  #rowOf(key: string): HTMLElement | null {
    return this.#list?.querySelector<HTMLElement>(`[data-row="${CSS.escape(key)}"]`) ?? null;
  }

  /** Tells the height of a row as long as it is drawn. */
  readonly row = (element: HTMLElement): (() => void) => {
    this.#watch?.observe(element);
    return () => this.#watch?.unobserve(element);
  };

  #resized(entries: readonly ResizeObserverEntry[]): void {
    for (const { target } of entries) this.#measure(target);
    this.#redraw();
    this.settle();
  }

  #measure(target: Element): void {
    const key = target instanceof HTMLElement ? target.dataset['row'] : undefined;
    if (key === undefined || !target.isConnected) return;
    this.#heights.measured(key, target.getBoundingClientRect().height);
  }

  /** After the rows were drawn: back to the end, or to the row that was in view. */
  settle(): void {
    const box = this.#box;
    if (box === null) return;
    if (this.atEnd) return this.#toEnd();
    const row = this.#anchor === null ? null : this.#rowOf(this.#anchor.key);
    if (row === null || this.#anchor === null) return;
    const { key, top } = this.#anchor;
    const now = (): number => row.getBoundingClientRect().top - box.getBoundingClientRect().top;
    const moved = now() - top;
    if (Math.abs(moved) >= 0.5) box.scrollTop += moved;
    // Above the first row there is nothing to scroll to: it stands where it is.
    if (box.scrollTop <= 0) this.#anchor = { key, top: now() };
  }

  #toEnd(): void {
    if (this.#box !== null) this.#box.scrollTop = this.#box.scrollHeight;
  }

  /** After the reader scrolled. */
  scrolled(): void {
    const box = this.#box;
    if (box === null) return;
    this.#atEnd = this.left.below <= nearEndPx;
    const y = box.scrollTop - this.#listTop();
    this.#anchor = this.#firstInView(y);
    this.#redraw();
  }

  /** The first row in view that stays; another one where nothing else is in view. */
  #firstInView(y: number): Anchor | null {
    let line: Anchor | null = null;
    const first = this.#heights.at(y);
    const { top: boxTop, bottom: boxBottom } = this.#box?.getBoundingClientRect() ?? new DOMRect();
    for (const { index } of this.placed) {
      if (index < first) continue;
      const row = this.#list?.querySelector<HTMLElement>(`[data-index="${index}"]`);
      const key = row?.dataset['row'];
      if (row === null || row === undefined || key === undefined) continue;
      const { top, bottom } = row.getBoundingClientRect();
      if (top >= boxBottom) break;
      if (bottom <= boxTop) continue;
      const anchor = { key, top: top - boxTop };
      if (stays(key)) return anchor;
      line ??= anchor;
    }
    return line ?? this.#firstAt(first, y);
  }

  /** Scrolled farther than was drawn: the row that will be drawn there. */
  #firstAt(first: number, y: number): Anchor | null {
    for (let index = first; index < this.#heights.count; index += 1) {
      const key = this.#heights.key(index);
      if (key !== undefined && stays(key)) return { key, top: this.#heights.top(index) - y };
    }
    return null;
  }

  /** To the newest message. */
  toEnd(): void {
    this.#atEnd = true;
    this.#anchor = null;
    this.#redraw();
    this.#toEnd();
  }

  /** Brings a row to the middle of what is in view; it is drawn with the next change of the page. */
  aim(key: string): void {
    const index = this.#heights.indexOf(key);
    if (index < 0) return;
    const height = this.#heights.top(index + 1) - this.#heights.top(index);
    const room = this.#box?.clientHeight ?? 0;
    this.#atEnd = false;
    this.#anchor = { key, top: Math.max(0, (room - height) / 2) };
    this.#redraw();
  }
}
