// Drafts by room, sealed at rest by the safe.
import { fromUtf8, utf8 } from '../protocol/bytes';
import type { Safe } from './safe';
import type { Shelf } from './shelf';

const isRow = (value: unknown): value is { room: string; sealed: Uint8Array } =>
  typeof value === 'object' && value !== null && 'room' in value && 'sealed' in value;

export class DraftStore {
  readonly #shelf: Shelf;
  readonly #safe: Safe;
  #closed = false;

  constructor(shelf: Shelf, safe: Safe) {
    this.#shelf = shelf;
    this.#safe = safe;
  }

  /** Of who comes in. */
  async all(): Promise<Map<string, string>> {
    this.#closed = false;
    const out = new Map<string, string>();
    for (const row of await this.#shelf.list('meta', { prefix: 'draft/' })) {
      const text = isRow(row) ? await this.#safe.open(row.sealed) : null;
      if (isRow(row) && text !== null) out.set(row.room, fromUtf8(text));
    }
    return out;
  }

  /** Of who has logged out nothing is kept any more, whatever a screen still holds. */
  close(): void {
    this.#closed = true;
  }

  async keep(room: string, text: string): Promise<void> {
    if (this.#closed) return;
    const key = `draft/${room}`;
    if (text === '') return this.#shelf.write([{ remove: 'meta', key }]);
    const value = { room, sealed: await this.#safe.seal(utf8(text)) };
    return this.#shelf.write([{ put: 'meta', key, value }]);
  }
}
