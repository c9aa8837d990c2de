// A file as an address that `img` and `audio` take, for as long as somebody shows it.
import type { FilesApp, OpenedFile, Which } from '../../state/files_model';
import type { Problem } from '../../state/model';
import { download } from '../download';
import { asProblem } from '../problem';
import { words } from '../words/catalogue.svelte';

export class Opened {
  url = $state<string | null>(null);
  shown = $state<OpenedFile['shown'] | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(false);
  #turn = 0;

  async load(files: FilesApp, which: Which, size: 'small' | 'whole'): Promise<void> {
    const turn = ++this.#turn;
    this.loading = true;
    this.problem = null;
    try {
      const { blob, shown } = await files.open(which, size);
      if (turn !== this.#turn) return;
      this.#revoke();
      this.url = URL.createObjectURL(blob);
      this.shown = shown;
    } catch (thrown) {
      if (turn === this.#turn) this.problem = asProblem(thrown, words());
    } finally {
      if (turn === this.#turn) this.loading = false;
    }
  }

  #revoke(): void {
    if (this.url !== null) URL.revokeObjectURL(this.url);
    this.url = null;
  }

  /** Nobody shows it any more. */
  drop(): void {
    this.#turn += 1;
    this.#revoke();
  }
}

/** Runs once when an element comes near the screen. */
export const whenNear =
  (run: () => void) =>
  (element: HTMLElement): (() => void) => {
    const watch = new IntersectionObserver(
      (seen) => {
        if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
        watch.disconnect();
        run();
      },
      { rootMargin: '400px' },
    );
    watch.observe(element);
    return () => watch.disconnect();
  };

/** Hands a file to the browser's downloads. */
export async function save(files: FilesApp, which: Which, name: string): Promise<void> {
  const { blob } = await files.open(which, 'whole');
  download(blob, name === '' ? 'file' : name);
}
