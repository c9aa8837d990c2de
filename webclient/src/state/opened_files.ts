// Files that were opened lately, in memory up to a bound; the same file is asked for once.
import type { OpenedFile } from './files_model';

/** Bytes of opened files that are kept. */
const BYTES_MAX = 48 * 1024 * 1024;

export class OpenedFiles {
  /** The one used last stands last. */
  readonly #kept = new Map<string, OpenedFile>();
  readonly #asked = new Map<string, Promise<OpenedFile>>();
  /** Ids given here → ids of the box. */
  readonly #names = new Map<string, string>();
  #bytes = 0;

  #name(key: string): string {
    return this.#names.get(key) ?? key;
  }

  /** A file by its key, or what `load` gives. */
  async get(key: string, load: () => Promise<OpenedFile>): Promise<OpenedFile> {
    const name = this.#name(key);
    const kept = this.#kept.get(name);
    if (kept !== undefined) {
      this.#kept.delete(name);
      this.#kept.set(name, kept);
      return kept;
    }
    const known = this.#asked.get(name);
    if (known !== undefined) return known;
    const asked = load().finally(() => this.#asked.delete(name));
    this.#asked.set(name, asked);
    const opened = await asked;
    this.keep(name, opened);
    return opened;
  }

  keep(key: string, opened: OpenedFile): void {
    const name = this.#name(key);
    this.#drop(name);
    this.#kept.set(name, opened);
    this.#bytes += opened.blob.size;
    for (const [oldest] of this.#kept) {
      if (this.#bytes <= BYTES_MAX || oldest === name) return;
      this.#drop(oldest);
    }
  }

  #drop(name: string): void {
    const kept = this.#kept.get(name);
    if (kept === undefined) return;
    this.#kept.delete(name);
    this.#bytes -= kept.blob.size;
  }

  /** From now on it is called otherwise. */
  rename(from: string, to: string): void {
    const kept = this.#kept.get(from);
    this.#drop(from);
    this.#names.set(from, to);
    if (kept !== undefined) this.keep(to, kept);
  }

  clear(): void {
    this.#kept.clear();
    this.#names.clear();
    this.#bytes = 0;
  }
}
