// Files that were chosen and not sent, sealed at rest by the safe: which tray, their names, their bytes.
import { FILE_BYTES_MAX, FILES_MAX } from '../protocol/attachment';
import { fromUtf8, utf8 } from '../protocol/bytes';
import * as s from '../protocol/schema';
import type { Safe } from './safe';
import type { Shelf, Write } from './shelf';

/** Bytes that are kept of all trays: those of one full message. */
export const KEPT_BYTES_MAX = FILES_MAX * FILE_BYTES_MAX;

/** A file as it was chosen. */
export interface KeptFile {
  /** An id, in the order of choosing. */
  readonly key: string;
  readonly tray: string;
  readonly name: string;
  readonly type: string;
  /** A picture goes as the camera made it. */
  readonly original: boolean;
}

interface Row {
  readonly key: string;
  readonly size: number;
  readonly about: Uint8Array;
}

const about = s.object({ tray: s.text, name: s.text, type: s.text, original: s.flag });

const sealedBytes: s.Parser<Uint8Array> = (value, path) => {
  if (value instanceof Uint8Array) return value;
  throw new s.SchemaError(path, 'bytes');
};
const row: s.Parser<Row> = s.object({ key: s.text, size: s.count, about: sealedBytes });

const PREFIX = 'tray/';
const place = (key: string): string => PREFIX + key;

export class TrayStore {
  readonly #shelf: Shelf;
  readonly #safe: Safe;

  constructor(shelf: Shelf, safe: Safe) {
    this.#shelf = shelf;
    this.#safe = safe;
  }

  async #rows(): Promise<Row[]> {
    return s.readable(row)(await this.#shelf.list('meta', { prefix: PREFIX }), 'trays');
  }

  /** In the order of choosing. */
  async all(): Promise<KeptFile[]> {
    const out: KeptFile[] = [];
    for (const { key, about: sealed } of await this.#rows()) {
      const opened = await this.#safe.open(sealed);
      // Sealed under a key that a log-out deleted: nobody's any more.
      if (opened === null) await this.remove([key]);
      else out.push({ key, ...s.parseJson(about, fromUtf8(opened)) });
    }
    return out;
  }

  /** The bytes of a kept file; null: they are gone. */
  async bytes(key: string): Promise<Uint8Array | null> {
    const kept = await this.#shelf.get('files', place(key));
    return kept instanceof Uint8Array ? this.#safe.open(kept) : null;
  }

  /**
   * Keeps a file unless it is too large or the trays are full; whether it is kept. `still`: asked
   * last, so that nothing is written behind a log-out.
   */
  async put(file: KeptFile, bytes: Uint8Array, still: () => boolean): Promise<boolean> {
    const taken = (await this.#rows()).reduce((sum, { size }) => sum + size, 0);
    if (bytes.length > FILE_BYTES_MAX || taken + bytes.length > KEPT_BYTES_MAX) return false;
    const writes: Write[] = [
      await this.#row(file, bytes.length),
      { put: 'files', key: place(file.key), value: await this.#safe.seal(bytes) },
    ];
    if (!still()) return false;
    await this.#shelf.write(writes);
    return true;
  }

  async #row({ key, ...rest }: KeptFile, size: number): Promise<Write> {
    const sealed = await this.#safe.seal(utf8(JSON.stringify(rest)));
    return { put: 'meta', key: place(key), value: { key, size, about: sealed } };
  }

  /** What is kept beside its bytes is another. */
  async change(file: KeptFile, still: () => boolean): Promise<void> {
    const known = (await this.#rows()).find(({ key }) => key === file.key);
    if (known === undefined) return;
    const write = await this.#row(file, known.size);
    if (still()) await this.#shelf.write([write]);
  }

  remove(keys: readonly string[]): Promise<void> {
    return this.#shelf.write(
      keys.flatMap((key): Write[] => [
        { remove: 'meta', key: place(key) },
        { remove: 'files', key: place(key) },
      ]),
    );
  }
}
