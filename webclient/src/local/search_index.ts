// Words of opened messages, found again by their beginnings, whatever their accents and case.
import MiniSearch, { type Options, type SearchResult } from 'minisearch';
import { folded, wordsOf } from '../protocol/folded';

/** Messages of so many positions of a room are one index, kept and read as one. */
export const SEGMENT = 4_096;
/** Letters of a word that count: what is longer is found by its beginning. */
const TERM = 40;
/** Edits and deletions that came before their message was read, a room. */
const EARLY = 10_000;

/** A message as it is searched. */
export interface Doc {
  readonly id: string;
  readonly position: number;
  /** The box's clock, ms since 1970. */
  readonly at: number;
  /** A person or a device. */
  readonly sender: string;
  readonly text: string;
  /** What it answers. */
  readonly parent: string | null;
  readonly file: boolean;
}

/** What an event does to the index. */
export type Entry =
  | { readonly kind: 'put'; readonly doc: Doc }
  | {
      readonly kind: 'edit';
      readonly target: string;
      readonly sender: string;
      readonly at: number;
      readonly text: string;
    }
  /** `by`: only if that person wrote it; null: whoever did. */
  | { readonly kind: 'remove'; readonly target: string; readonly by: string | null };

export interface Query {
  readonly text: string;
  /** Null: all rooms. */
  readonly room: string | null;
  readonly sender: string | null;
  /** Between these, ms since 1970, inclusive. */
  readonly from: number | null;
  readonly to: number | null;
  readonly link: boolean;
  readonly file: boolean;
  /** At most so many, the newest. */
  readonly limit: number;
}

export interface Hit {
  readonly room: string;
  readonly id: string;
  readonly position: number;
  readonly at: number;
  /** Words of the message that match, folded. */
  readonly terms: readonly string[];
}

/** A part of the index that has changed; `json` of a room's `state` or of one segment. */
export interface Part {
  readonly room: string;
  readonly part: string;
  readonly json: string;
}

type Edit = Extract<Entry, { kind: 'edit' }>;
type Stored = Omit<Doc, 'text'> & { readonly link: boolean };

const OPTIONS: Options<Stored & { text: string }> = {
  fields: ['text'],
  storeFields: ['position', 'at', 'sender', 'parent', 'file', 'link'],
  tokenize: (text) => wordsOf(text).map(([word]) => word),
  processTerm: (term) => folded(term).slice(0, TERM),
};

const LINK = /\bhttps?:\/\/\S/i;

class RoomIndex {
  readonly segments = new Map<number, MiniSearch<Stored & { text: string }>>();
  readonly dirty = new Set<number>();
  readonly edits = new Map<string, Edit>();
  readonly gone = new Map<string, string | null>();
  changed = false;

  segment(n: number): MiniSearch<Stored & { text: string }> {
    const known = this.segments.get(n);
    if (known !== undefined) return known;
    const made = new MiniSearch(OPTIONS);
    this.segments.set(n, made);
    return made;
  }

  #holding(id: string): [number, MiniSearch<Stored & { text: string }>] | null {
    for (const [n, index] of this.segments) if (index.has(id)) return [n, index];
    return null;
  }

  #stored(id: string): Stored | null {
    const [, index] = this.#holding(id) ?? [];
    // Written by `put` alone.
    return index === undefined ? null : (index.getStoredFields(id) as unknown as Stored);
  }

  take(entry: Entry): void {
    if (entry.kind === 'put') this.#put(entry.doc);
    else if (entry.kind === 'edit') this.#edit(entry);
    else this.#remove(entry.target, entry.by);
  }

  #put(doc: Doc): void {
    const by = this.gone.get(doc.id);
    if (by === null || by === doc.sender) return;
    const edit = this.edits.get(doc.id);
    this.edits.delete(doc.id);
    const text = edit !== undefined && edit.sender === doc.sender ? edit.text : doc.text;
    this.#write(doc, text);
  }

  #write(doc: Omit<Doc, 'text'>, text: string): void {
    const n = Math.floor(doc.position / SEGMENT);
    const index = this.segment(n);
    const { id, position, at, sender, parent, file } = doc;
    const row = { id, position, at, sender, parent, file, link: LINK.test(text), text };
    if (index.has(id)) index.replace(row);
    else index.add(row);
    this.dirty.add(n);
  }

  #edit(entry: Edit): void {
    const stored = this.#stored(entry.target);
    if (stored !== null) {
      if (stored.sender === entry.sender) this.#write({ ...stored, id: entry.target }, entry.text);
      return;
    }
    const known = this.edits.get(entry.target);
    // Read backwards, the newest comes first.
    if (known !== undefined && known.at >= entry.at) return;
    this.edits.set(entry.target, entry);
    this.changed = true;
    for (const first of this.edits.keys()) {
      if (this.edits.size <= EARLY) break;
      this.edits.delete(first);
    }
  }

  #remove(target: string, by: string | null): void {
    this.edits.delete(target);
    const [n, index] = this.#holding(target) ?? [];
    if (n === undefined || index === undefined) {
      this.gone.set(target, by);
      this.changed = true;
      return;
    }
    if (by !== null && this.#stored(target)?.sender !== by) return;
    index.discard(target);
    this.dirty.add(n);
  }
}

const isEdit = (value: unknown): value is Edit =>
  typeof value === 'object' && value !== null && 'target' in value && 'text' in value;

export class SearchIndex {
  readonly #rooms = new Map<string, RoomIndex>();

  #room(id: string): RoomIndex {
    const known = this.#rooms.get(id);
    if (known !== undefined) return known;
    const made = new RoomIndex();
    this.#rooms.set(id, made);
    return made;
  }

  /** A part that was kept. One that does not read is left out: it is made anew. */
  async load({ room, part, json }: Part): Promise<boolean> {
    const index = this.#room(room);
    try {
      if (part !== 'state') {
        index.segments.set(Number(part), MiniSearch.loadJSON(json, OPTIONS));
        return true;
      }
      const read: unknown = JSON.parse(json);
      if (!Array.isArray(read)) return false;
      for (const edit of read.filter(isEdit)) index.edits.set(edit.target, edit);
      return true;
    } catch {
      return false;
    }
  }

  async feed(room: string, entries: readonly Entry[]): Promise<void> {
    const index = this.#room(room);
    for (const entry of entries) index.take(entry);
  }

  /** The newest messages that match, newest first. */
  async find(query: Query): Promise<Hit[]> {
    const hits: Hit[] = [];
    for (const [room, { segments }] of this.#rooms) {
      if (query.room !== null && query.room !== room) continue;
      for (const index of segments.values()) {
        for (const found of search(index, query)) hits.push(hitOf(room, found));
      }
    }
    return hits.sort((a, b) => b.at - a.at || b.position - a.position).slice(0, query.limit);
  }

  /** Positions of the answers to a message, ascending. */
  async answers(room: string, parent: string): Promise<number[]> {
    const found: number[] = [];
    for (const index of this.#room(room).segments.values()) {
      const filter = (one: SearchResult): boolean => one['parent'] === parent;
      for (const one of index.search(MiniSearch.wildcard, { filter })) {
        found.push(Number(one['position']));
      }
    }
    return found.sort((a, b) => a - b);
  }

  /** The parts that have changed since they were taken last. */
  async changed(): Promise<Part[]> {
    const parts: Part[] = [];
    for (const [room, index] of this.#rooms) {
      for (const n of index.dirty) {
        parts.push({ room, part: String(n), json: JSON.stringify(index.segment(n)) });
      }
      index.dirty.clear();
      if (!index.changed) continue;
      index.changed = false;
      parts.push({ room, part: 'state', json: JSON.stringify([...index.edits.values()]) });
    }
    return parts;
  }

  /** Nothing of it stays in memory. */
  async forget(): Promise<void> {
    this.#rooms.clear();
  }
}

function search(index: MiniSearch<Stored & { text: string }>, query: Query): SearchResult[] {
  const { text, sender, from, to, link, file } = query;
  const filter = (one: SearchResult): boolean =>
    (sender === null || one['sender'] === sender) &&
    (from === null || Number(one['at']) >= from) &&
    (to === null || Number(one['at']) <= to) &&
    (!link || one['link'] === true) &&
    (!file || one['file'] === true);
  const empty = text.trim() === '';
  if (empty && sender === null && from === null && to === null && !link && !file) return [];
  const options = { filter, prefix: true, combineWith: 'AND' } as const;
  return index.search(empty ? MiniSearch.wildcard : text, options);
}

function hitOf(room: string, found: SearchResult): Hit {
  const { id, terms } = found;
  return {
    room,
    id: String(id),
    position: Number(found['position']),
    at: Number(found['at']),
    terms,
  };
}

/** The index as whoever asks sees it, here or in a worker. */
export type Search = Pick<SearchIndex, keyof SearchIndex>;
