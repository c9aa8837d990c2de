// What lies in trays is kept in this browser until it is sent, so that a reload loses no file.
import type { KeptFile, TrayStore } from '../local/tray_store';
import { FILE_BYTES_MAX } from '../protocol/attachment';

/** One thing after the other. A storage that is full or broken keeps less; the trays go on. */
export class KeptTrays {
  readonly #store: TrayStore;
  #turn: Promise<void> = Promise.resolve();
  #stopped = false;
  /** The browser's storage failed: nothing more is kept by this page. */
  #off = false;

  constructor(store: TrayStore) {
    this.#store = store;
  }

  readonly #still = (): boolean => !this.#stopped;

  #next(run: () => Promise<unknown>): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#stopped) return;
      try {
        await run();
      } catch {
        this.#off = true;
      }
    });
    return this.#turn;
  }

  /** A file was chosen. */
  put(file: KeptFile, source: Blob): void {
    if (source.size > FILE_BYTES_MAX) return;
    void this.#next(async () => {
      if (this.#off) return;
      const bytes = await bytesOf(source);
      if (bytes !== null) await this.#store.put(file, bytes, this.#still);
    });
  }

  /** It goes otherwise than it would have. */
  change(file: KeptFile): void {
    void this.#next(() => this.#store.change(file, this.#still));
  }

  /** They are sent, or nobody wants them. */
  remove(keys: readonly string[]): Promise<void> {
    return this.#next(() => this.#store.remove(keys));
  }

  /** Gives what is kept, one by one; `wanted` says whether somebody still has a use for it. */
  restore(wanted: (file: KeptFile) => boolean, take: (file: KeptFile, source: File) => void): void {
    void this.#next(async () => {
      for (const file of await this.#store.all()) {
        const bytes = wanted(file) ? await this.#store.bytes(file.key) : null;
        if (this.#stopped) return;
        if (bytes === null) await this.#store.remove([file.key]);
        else take(file, new File([new Uint8Array(bytes)], file.name, { type: file.type }));
      }
    });
  }

  /** Nobody is signed in any more; what is kept stays for the next login, unless that is wiped. */
  stop(): void {
    this.#stopped = true;
  }
}

/** Null: a folder, or gone meanwhile; the tray says so. */
async function bytesOf(source: Blob): Promise<Uint8Array | null> {
  try {
    return new Uint8Array(await source.arrayBuffer());
  } catch {
    return null;
  }
}
