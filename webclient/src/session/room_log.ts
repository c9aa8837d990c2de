// A room's history as far as it is here: kept items, opened facts, what is read of them.
import type { MessagesApi } from '../api/messages';
import type { Cursor, HistoryStore } from '../local/history';
import type { Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Sealing } from '../sealing/requests';
import { eraseKept, erasureOf, type Erasure } from './erasing';
import type { Fact } from './fact';
import { openItems } from './inbox';
import { Numbers } from './numbers';
import { endOf, PAGE, Pages, spanOf, type Found, type Place } from './pages';
import { Relations, type EventFact } from './relations';
import type { Span, Stretch } from './stretch';
import { find, Stretches } from './stretches';

/** Items of a room in memory when it is read from what is kept here. */
const KEPT = 2 * PAGE;
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
  readonly relations = new Relations();
  readonly #here = new Stretches(this.relations);
  readonly #deps: RoomLogDeps;
  readonly #pages: Pages;
  /** Items that did not open yet: tried again when keys come. */
  readonly #closed = new Map<number, Item>();
  #numbers = new Numbers();
  #cursor: Cursor = { low: 0, high: 0, read: 0 };
  /** The room's first position, null until the box has said it. */
  #first: number | null = null;
  /** A first page was read, now or earlier. */
  #begun = false;
  /** Live items could not be kept: what follows waits until they came once more. */
  #behind = false;
  #queue: Item[] = [];
  #working: Promise<unknown> = Promise.resolve();

  constructor(room: Id, deps: RoomLogDeps) {
    this.room = room;
    this.#deps = deps;
    this.#pages = new Pages(room, deps, () => this.#cursor);
  }

  /** What is read, ascending; the same array as long as nothing has changed. */
  facts(): readonly Fact[] {
    return this.#here.facts();
  }

  /** The newest items, ascending, whatever is read. */
  newest(): readonly Fact[] {
    return this.#here.tail.facts;
  }

  /** What is read reaches the newest item. */
  get atNewest(): boolean {
    return this.#here.away === null;
  }

  get high(): number {
    return this.#cursor.high;
  }

  /** The room's first position, null until the box has said it. */
  get first(): number | null {
    return this.#first;
  }

  /** From here on all is kept up to the newest. */
  get low(): number {
    return this.#cursor.low;
  }

  get begun(): boolean {
    return this.#begun;
  }

  get read(): number {
    return this.#cursor.read;
  }

  /** The positions that `facts` speaks for; what is beyond them changes what is there. */
  get run(): Span {
    const { low: from, high: to } = this.#here.reading;
    return { from, to };
  }

  /** Whether an event comes again, by all that was read of its writer. */
  isLate(fact: Fact): boolean {
    return this.#numbers.isLate(fact);
  }

  /** What is read begins with the room's first event. */
  get complete(): boolean {
    if (this.#first === null) return false;
    return this.#here.reading.low <= this.#first || this.#cursor.high === 0;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#working.then(run, run);
    this.#working = turn.catch(() => undefined);
    return turn;
  }

  /** What the box says of the room's first event. */
  setFirst(position: number): void {
    this.#first = position;
  }

  /** Keeps items together with where that leads, and what is known of their writers. */
  #keep(items: readonly Item[], cursor: Cursor): Promise<void> {
    return this.#deps.store.keep(this.room, items, { ...cursor, numbers: this.#numbers.kept() });
  }

  /** From what is kept here. */
  load(): Promise<void> {
    return this.#inTurn(async () => {
      const cursor = await this.#deps.store.cursor(this.room);
      if (cursor === null) return;
      this.#cursor = cursor;
      this.#numbers = new Numbers(cursor.numbers);
      this.#begun = true;
      const items = await this.#deps.store.newest(this.room, KEPT);
      const from = items[0]?.position ?? cursor.high + 1;
      this.#here.begin({ from, to: cursor.high });
      await this.#open(items);
      this.#deps.changed(this.room);
    });
  }

  /**
   * The first page of a room that was never read here; else nothing (the connection brings it).
   * It is asked for at once, and opened when the room's keys are `ready`.
   */
  begin(ready?: Promise<unknown>): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#begun) return;
      const page = await this.#deps.api.page(this.room, { limit: PAGE });
      await ready;
      this.#first = page.firstPosition;
      const low = spanOf(page)?.from ?? page.headPosition + 1;
      // A new browser begins where the person left off; without a word of that, with nothing unread.
      const read = Math.min(this.#deps.readElsewhere() ?? page.headPosition, page.headPosition);
      const cursor = { low, high: page.headPosition, read };
      await this.#keep(page.items, cursor);
      this.#cursor = cursor;
      this.#begun = true;
      this.#here.begin({ from: low, to: page.headPosition });
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
    const [first, last] = [news[0], news.at(-1)];
    if (last === undefined || first === undefined) return;
    const empty = this.#cursor.high === 0;
    const low = empty ? first.position : this.#cursor.low;
    const high = endOf(last);
    const cursor = { ...this.#cursor, low, high };
    await this.#keep(news, cursor);
    this.#cursor = cursor;
    if (empty) this.#here.begin({ from: low, to: high });
    this.#here.tail.extend({ from: first.position, to: high });
    const facts = await this.#open(news);
    await this.#forget(facts.flatMap((fact) => erasureOf(fact) ?? []));
    this.#here.bound();
    this.#deps.arrived(this.room, facts);
    this.#deps.changed(this.room);
  }

  /** What was erased on the box goes from here too: its place stays. */
  async #forget(erasures: readonly Erasure[]): Promise<void> {
    if (erasures.length === 0) return;
    const left = await eraseKept(this.#deps.store, this.room, this.#cursor, erasures);
    await this.#keep(left, this.#cursor);
    await this.#open(left);
  }

  async #open(items: readonly Item[]): Promise<Fact[]> {
    const { sealing, isSealed } = this.#deps;
    const facts = await openItems(this.room, items, sealing, isSealed(), this.#cursor.low);
    this.relations.note(facts);
    this.#here.put(facts);
    this.#number(facts);
    facts.forEach((fact, n) => {
      const item = items[n];
      const closed =
        fact.kind === 'stub' && (fact.reason === 'waiting_for_key' || fact.reason === 'other_key');
      if (closed && item !== undefined) this.#closed.set(fact.position, item);
      else this.#closed.delete(fact.position);
    });
    return facts;
  }

  /** Notes the writers' numbers; true: something in memory turned out to come again. */
  #number(facts: readonly Fact[]): boolean {
    const again = this.#numbers.note(facts);
    if (again) this.#numbers.note(this.#here.tail.facts);
    return again;
  }

  /** Keys came: what was closed is tried again. */
  reopen(): Promise<void> {
    return this.#inTurn(async () => {
      for (const position of this.#closed.keys()) {
        if (!this.#here.has(position)) this.#closed.delete(position);
      }
      if (this.#closed.size === 0) return;
      await this.#open([...this.#closed.values()]);
      this.#deps.changed(this.room);
    });
  }

  // What is read

  /** The reader is at the end of what is shown, or somewhere above it. */
  follow(on: boolean): void {
    this.#here.follow(on);
  }

  /** The page before what is read: kept here, else from the box. */
  older(): Promise<void> {
    return this.#inTurn(async () => {
      const { reading } = this.#here;
      if (this.complete || reading.low === 0) return;
      const found = await this.#pages.below(reading.low);
      if (found.span === null) this.#first = reading.low;
      await this.#learn(found, reading);
      this.#here.boundOlder();
      this.#deps.changed(this.room);
    });
  }

  /** Takes a page into a stretch; what adjoins that which is kept is kept too. */
  async #learn({ items, span, first }: Found, into: Stretch): Promise<void> {
    if (first !== null && span !== null) this.#first = first;
    if (span === null) return;
    const { low } = this.#cursor;
    if (first !== null && span.from < low && span.to >= low - 1) {
      const cursor = { ...this.#cursor, low: span.from };
      await this.#keep(items, cursor);
      this.#cursor = cursor;
    }
    into.extend(span);
    await this.#open(items);
  }

  /** The page after what is read, until that is the newest. */
  newer(): Promise<void> {
    return this.#inTurn(async () => {
      const { away } = this.#here;
      if (away === null) return;
      await this.#learn(await this.#pages.above(away.high), away);
      this.#here.boundNewer(away);
      this.#deps.changed(this.room);
    });
  }

  /** Reads the newest. */
  toNewest(): Promise<void> {
    return this.#inTurn(async () => {
      this.#here.toNewest();
      this.#deps.changed(this.room);
    });
  }

  /** Reads around a place. The position there; null: nothing is there. */
  goTo(place: Place): Promise<number | null> {
    return this.#inTurn(async () => {
      const { reading } = this.#here;
      const here = this.#here.turnTo(place);
      if (here !== null && reading === this.#here.reading) return here;
      const found = here ?? (await this.#readAround(place));
      this.#here.follow(false);
      this.#deps.changed(this.room);
      return found;
    });
  }

  async #readAround(place: Place): Promise<number | null> {
    const found = await this.#pages.around(place);
    if (found.span === null) return null;
    const away = this.#here.leave(found.span);
    await this.#learn(found, away);
    const at = find(place, away) ?? (typeof place === 'number' ? away.low : null);
    this.#here.settle(away);
    return at;
  }

  /** Keeps the page of the box before what is kept; what is read does not move. */
  keepOlder(): Promise<void> {
    return this.#inTurn(async () => {
      const { low } = this.#cursor;
      if (!this.#begun || low === 0) return;
      const { items, span, first } = await this.#pages.below(low);
      this.#first = span === null ? low : first;
      if (span === null) return;
      const cursor = { ...this.#cursor, low: span.from };
      await this.#keep(items, cursor);
      this.#cursor = cursor;
    });
  }

  /** Opens items beside what is read, such as the answers to a message; nothing here moves. */
  async look(items: readonly Item[]): Promise<readonly Fact[]> {
    const facts = await openItems(this.room, items, this.#deps.sealing, this.#deps.isSealed());
    this.relations.note(facts);
    if (this.#number(facts)) this.#deps.changed(this.room);
    return facts;
  }

  /** A message of those in memory or not long gone from it. */
  known(id: string): EventFact | null {
    return this.#here.message(id) ?? this.relations.quotable(id);
  }

  /** The person has seen everything that is here, or all up to a position. */
  markRead(position = this.#cursor.high): Promise<void> {
    return this.#inTurn(async () => {
      const read = Math.min(position, this.#cursor.high);
      if (this.#cursor.read >= read) return;
      // Read is read, even where that cannot be kept.
      this.#cursor = { ...this.#cursor, read };
      await this.#keep([], this.#cursor);
    });
  }
}
