// A room's history as far as it is here: kept items, opened facts, where the rest begins.
import type { MessagesApi } from '../api/messages';
import type { Cursor, HistoryStore } from '../local/history';
import type { Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Sealing } from '../sealing/requests';
import type { Fact } from './fact';
import { openItems } from './inbox';

const PAGE = 50;
/** Items of a room in memory when it is read from what is kept here. */
const KEPT = 100;

export interface RoomLogDeps {
  readonly api: Pick<MessagesApi, 'page'>;
  readonly store: HistoryStore;
  readonly sealing: Sealing;
  /** Whether the room is sealed, as this client knows it: not as its items say. */
  readonly isSealed: () => boolean;
  /** How far this person has read elsewhere; null: unknown. */
  readonly readElsewhere: () => number | null;
  /** New facts of live items (not of older pages), in their order. */
  readonly arrived: (room: Id, facts: readonly Fact[]) => void;
  readonly changed: (room: Id) => void;
  readonly failed: (error: unknown) => void;
}

export class RoomLog {
  readonly room: Id;
  readonly #deps: RoomLogDeps;
  readonly #facts = new Map<number, Fact>();
  #sorted: readonly Fact[] | null = null;
  /** Items that did not open yet: tried again when keys come. */
  readonly #closed = new Map<number, Item>();
  #cursor: Cursor = { low: 0, high: 0, read: 0 };
  /** The lowest position in memory. */
  #low = 0;
  /** The room's first position, null until the box has said it. */
  #first: number | null = null;
  /** A first page was read, now or earlier. */
  #begun = false;
  /** Live items could not be kept: what follows waits until they came once more. */
  #behind = false;
  #queue: Item[] = [];
  #working: Promise<void> = Promise.resolve();

  constructor(room: Id, deps: RoomLogDeps) {
    this.room = room;
    this.#deps = deps;
  }

  /** Ascending by position. */
  facts(): readonly Fact[] {
    this.#sorted ??= [...this.#facts.values()].sort((a, b) => a.position - b.position);
    return this.#sorted;
  }

  get high(): number {
    return this.#cursor.high;
  }

  get begun(): boolean {
    return this.#begun;
  }

  get read(): number {
    return this.#cursor.read;
  }

  /** Everything from the room's first event on is in memory. */
  get complete(): boolean {
    return this.#first !== null && (this.#low <= this.#first || this.#cursor.high === 0);
  }

  #inTurn(run: () => Promise<void>): Promise<void> {
    const turn = this.#working.then(run, run);
    this.#working = turn.catch(() => undefined);
    return turn;
  }

  /** What the box says of the room's first event. */
  setFirst(position: number): void {
    this.#first = position;
  }

  /** From what is kept here. */
  load(): Promise<void> {
    return this.#inTurn(async () => {
      const cursor = await this.#deps.store.cursor(this.room);
      if (cursor === null) return;
      this.#cursor = cursor;
      this.#begun = true;
      const items = await this.#deps.store.newest(this.room, KEPT);
      this.#low = items[0]?.position ?? cursor.high + 1;
      await this.#open(items);
      this.#deps.changed(this.room);
    });
  }

  /** The first page of a room that was never read here; else nothing (the connection brings it). */
  begin(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#begun) return;
      const page = await this.#deps.api.page(this.room, { limit: PAGE });
      this.#first = page.firstPosition;
      const low = page.items[0]?.position ?? page.headPosition + 1;
      // A new browser begins where the person left off; without a word of that, with nothing unread.
      const read = Math.min(this.#deps.readElsewhere() ?? page.headPosition, page.headPosition);
      const cursor = { low, high: page.headPosition, read };
      await this.#deps.store.keep(this.room, page.items, cursor);
      this.#cursor = cursor;
      this.#low = low;
      this.#begun = true;
      await this.#open(page.items);
      this.#deps.changed(this.room);
    });
  }

  /** An item from the connection. What comes before the first page was read is on that page. */
  take(item: Item): void {
    this.#queue.push(item);
    if (this.#queue.length > 1) return;
    this.#inTurn(async () => {
      const items = this.#queue;
      this.#queue = [];
      await this.#append(items);
    }).catch(this.#deps.failed);
  }

  async #append(items: readonly Item[]): Promise<void> {
    if (!this.#begun) return;
    const behind = this.#behind;
    this.#behind = true;
    if (behind) await this.#catchUp();
    await this.#add(items);
    this.#behind = false;
  }

  /** Everything above what is kept, from the box. */
  async #catchUp(): Promise<void> {
    for (;;) {
      const after = this.#cursor.high;
      const page = await this.#deps.api.page(this.room, { limit: PAGE, after });
      await this.#add(page.items);
      if (this.#cursor.high === after || this.#cursor.high >= page.headPosition) return;
    }
  }

  /** Keeps live items and shows them; when they cannot be kept, nothing has moved. */
  async #add(items: readonly Item[]): Promise<void> {
    const news = items
      .filter(({ position }) => position > this.#cursor.high)
      .sort((a, b) => a.position - b.position);
    const last = news.at(-1);
    const first = news[0];
    if (last === undefined || first === undefined) return;
    const empty = this.#cursor.high === 0;
    const low = empty ? first.position : this.#cursor.low;
    const cursor = { ...this.#cursor, low, high: last.position };
    await this.#deps.store.keep(this.room, news, cursor);
    this.#cursor = cursor;
    if (empty) this.#low = low;
    const facts = await this.#open(news);
    for (const fact of facts) await this.#forget(fact);
    this.#deps.arrived(this.room, facts);
    this.#deps.changed(this.room);
  }

  /**
   * What was erased on the box goes from here too, in open rooms with its edits: its place stays. In
   * sealed rooms the box does not know which events are edits, so they stay, sealed.
   */
  async #forget(fact: Fact): Promise<void> {
    const erased = erasureOf(fact);
    if (erased === null) return;
    const { id, by } = erased;
    for (const one of this.facts()) {
      if (one.kind !== 'event') continue;
      const isEdit = one.epoch === 0 && one.body.type === 'edit' && one.body.target === id;
      const is = one.id === id || isEdit;
      // In a sealed room a person erases only what is their own.
      const may = fact.kind !== 'event' || fact.epoch === 0 || one.sender === fact.sender;
      if (!is || !may) continue;
      const { position } = one;
      const [item] = await this.#deps.store.newest(this.room, 1, position + 1);
      if (item?.position !== position) continue;
      const left = remains(item, id, by);
      await this.#deps.store.keep(this.room, [left], this.#cursor);
      await this.#open([left]);
    }
  }

  async #open(items: readonly Item[]): Promise<Fact[]> {
    const facts = await openItems(this.room, items, this.#deps.sealing, this.#deps.isSealed());
    this.#sorted = null;
    facts.forEach((fact, n) => {
      this.#facts.set(fact.position, fact);
      const item = items[n];
      const closed =
        fact.kind === 'stub' && (fact.reason === 'waiting_for_key' || fact.reason === 'other_key');
      if (closed && item !== undefined) this.#closed.set(fact.position, item);
      else this.#closed.delete(fact.position);
    });
    return facts;
  }

  /** Keys came: what was closed is tried again. */
  reopen(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#closed.size === 0) return;
      await this.#open([...this.#closed.values()]);
      this.#deps.changed(this.room);
    });
  }

  /** The page before what is in memory: kept here, else from the box. */
  older(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.complete || this.#low === 0) return;
      const kept = await this.#deps.store.newest(this.room, PAGE, this.#low);
      const joins = kept.at(-1)?.position === this.#low - 1;
      const items = joins ? kept : await this.#fetchOlder();
      this.#low = items[0]?.position ?? this.#first ?? this.#low;
      await this.#open(items);
      this.#deps.changed(this.room);
    });
  }

  async #fetchOlder(): Promise<readonly Item[]> {
    const page = await this.#deps.api.page(this.room, { limit: PAGE, before: this.#low });
    this.#first = page.firstPosition;
    const low = page.items[0]?.position ?? this.#cursor.low;
    const cursor = { ...this.#cursor, low: Math.min(low, this.#cursor.low) };
    await this.#deps.store.keep(this.room, page.items, cursor);
    this.#cursor = cursor;
    if (page.items.length === 0) this.#first = this.#low;
    return page.items;
  }

  /** The person has seen everything that is here, or all up to a position. */
  markRead(position = this.#cursor.high): Promise<void> {
    return this.#inTurn(async () => {
      const read = Math.min(position, this.#cursor.high);
      if (this.#cursor.read >= read) return;
      // Read is read, even where that cannot be kept.
      this.#cursor = { ...this.#cursor, read };
      await this.#deps.store.keep(this.room, [], this.#cursor);
    });
  }
}

/** Which event a fact erases. */
function erasureOf(fact: Fact): { id: Id; by: Id | null } | null {
  if (fact.kind === 'event' && fact.body.type === 'delete') {
    return { id: fact.body.target, by: fact.sender };
  }
  if (fact.kind !== 'line' || fact.line.type !== 'erased' || fact.line.target === null) return null;
  return { id: fact.line.target, by: fact.line.by };
}

/** Bytes of a sealed event that stay when it is erased: its header. */
const HEADER_BYTES = 50;

/** An item as it is kept after it was erased, as the box keeps it. */
function remains(item: Item, target: Id, by: Id | null): Item {
  if (item.kind === 'sealed') return { ...item, bytes: item.bytes.slice(0, HEADER_BYTES) };
  const none = { user: null, role: null, epoch: null };
  const line = { type: 'erased', id: item.id, target, by, ...none } as const;
  return { ...item, content: { type: 'line', line } };
}
