// What was written and is not stored on the box yet: sealed at rest, in order, by room, with the
// files that still have to go up: age files, whose identities lie in the sealed body.
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import type { Safe } from './safe';
import type { Shelf, Write } from './shelf';

/** An event of mine on its way. `body`: its JSON. */
export interface Entry {
  readonly id: Id;
  readonly room: Id;
  /** ms since 1970, and the order within a room. */
  readonly at: number;
  readonly body: Uint8Array;
  /** It was written into a sealed room: it never goes out in clear. */
  readonly sealed: boolean;
  /** For a tombstone: what it erases. */
  readonly target: Id | null;
  /** Attachments of the body that are still here only, by the ids they have here. */
  readonly uploads: readonly Id[];
  /** It may have reached the box: never taken back, sent again under the same id. */
  readonly tried: boolean;
  readonly failed: {
    readonly code: string;
    readonly message: string;
    readonly hint: string;
  } | null;
}

const sealedBytes: s.Parser<Uint8Array> = (value, path) => {
  if (value instanceof Uint8Array) return value;
  throw new s.SchemaError(path, 'bytes');
};

const entry = s.object({
  id: s.id,
  room: s.id,
  at: s.count,
  body: sealedBytes,
  sealed: s.flag,
  target: s.optional(s.id),
  uploads: s.withDefault(s.list(s.id), []),
  tried: s.flag,
  failed: s.optional(s.object({ code: s.text, message: s.text, hint: s.text })),
});

const PREFIX = 'entry/';
const key = (id: Id): string => PREFIX + id;
const seqKey = (room: Id): string => `seq/${room}`;

const without = (files: readonly Id[]): Write[] =>
  files.map((id) => ({ remove: 'files', key: id }));

export class OutboxStore {
  readonly #shelf: Shelf;
  readonly #safe: Safe;

  constructor(shelf: Shelf, safe: Safe) {
    this.#shelf = shelf;
    this.#safe = safe;
  }

  /** All entries, oldest first (ids are made in order of time). */
  async all(): Promise<Entry[]> {
    const out: Entry[] = [];
    for (const value of await this.#shelf.list('outbox', { prefix: PREFIX })) {
      const opened = await this.#open(value);
      if (opened !== null) out.push(opened);
    }
    return out;
  }

  /** One entry; null when it is not here (any more). */
  async get(id: Id): Promise<Entry | null> {
    const value = await this.#shelf.get('outbox', key(id));
    return value === undefined ? null : this.#open(value);
  }

  async #open(value: unknown): Promise<Entry | null> {
    const kept = entry(value, 'entry');
    const body = await this.#safe.open(kept.body);
    if (body !== null) return { ...kept, body };
    // Sealed under a key that a log-out deleted: nobody's any more.
    await this.#shelf.write([{ remove: 'outbox', key: key(kept.id) }, ...without(kept.uploads)]);
    return null;
  }

  /** `files`: age files that come with it, all or nothing. */
  async put(value: Entry, files: ReadonlyMap<Id, Blob> = new Map()): Promise<void> {
    await this.#shelf.write([
      await this.#written(value),
      ...[...files].map(([id, file]): Write => ({ put: 'files', key: id, value: file })),
    ]);
  }

  /** The entry once one of its files is on the box. */
  async putUploaded(value: Entry, file: Id): Promise<void> {
    await this.#shelf.write([await this.#written(value), ...without([file])]);
  }

  async #written(value: Entry): Promise<Write> {
    const body = await this.#safe.seal(value.body);
    return { put: 'outbox', key: key(value.id), value: { ...value, body } };
  }

  /** An age file that still has to go up; null when it is not here. */
  async file(id: Id): Promise<Blob | null> {
    const kept = await this.#shelf.get('files', id);
    return kept instanceof Blob ? kept : null;
  }

  /** Out of the outbox; with `seq`, the room's numbers up to that one are used up. */
  async done(value: Entry, seq: number | null): Promise<void> {
    const writes: Write[] = [{ remove: 'outbox', key: key(value.id) }, ...without(value.uploads)];
    if (seq !== null && seq > (await this.seq(value.room))) {
      writes.push({ put: 'outbox', key: seqKey(value.room), value: seq });
    }
    await this.#shelf.write(writes);
  }

  /** The last number of this writer that a room has stored. */
  async seq(room: Id): Promise<number> {
    const kept = await this.#shelf.get('outbox', seqKey(room));
    return typeof kept === 'number' ? kept : 0;
  }
}
