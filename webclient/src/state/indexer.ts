// The index of opened messages kept current: what comes at once, older ones bit by bit behind it.
import type { Entry, Search } from '../local/search_index';
import type { Indexed, SearchStore } from '../local/search_store';
import type { HistoryStore } from '../local/history';
import type { Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Clock } from '../session/clock';
import type { Fact } from '../session/fact';
import { endOf } from '../session/pages';
import type { RoomHandle } from './room';
import type { Coverage } from './search_model';

/** Items that are opened and indexed at a time, and the pause after them. */
const BATCH = 100;
const PAUSE_MS = 40;
/** The person comes first: the work begins so long after coming in. */
const REST_MS = 2_000;
/** What is indexed is kept at most so often. */
const KEEP_MS = 10_000;

export interface IndexerDeps {
  readonly clock: Clock;
  readonly search: Search;
  readonly store: SearchStore;
  readonly history: HistoryStore;
  readonly rooms: () => readonly RoomHandle[];
  readonly online: () => boolean;
  readonly failed: (error: unknown) => void;
}

/** What a fact says to the index. */
export function entriesOf(facts: readonly Fact[]): Entry[] {
  return facts.flatMap((fact): Entry[] => {
    if (fact.kind === 'line' && fact.line.type === 'erased' && fact.line.target !== null) {
      return [{ kind: 'remove', target: fact.line.target, by: null }];
    }
    if (fact.kind === 'post') {
      const { id, position, at, device: sender, post } = fact;
      const text = [post.title ?? '', post.text].join('\n').trim();
      const doc = { id, position, at, sender, text, parent: null, file: false };
      return [{ kind: 'put', doc }];
    }
    if (fact.kind !== 'event') return [];
    const { id, position, at, sender, body, epoch } = fact;
    switch (body.type) {
      case 'message': {
        const { content, parentId: parent, attachments } = body;
        // A file is found by its name, too.
        const text = [content, ...attachments.map(({ name }) => name)].join('\n').trim();
        const file = attachments.length > 0;
        return [{ kind: 'put', doc: { id, position, at, sender, text, parent, file } }];
      }
      case 'edit':
        return [{ kind: 'edit', target: body.target, sender, at, text: body.content }];
      case 'delete':
        return [{ kind: 'remove', target: body.target, by: epoch === 0 ? null : sender }];
      default:
        return [];
    }
  });
}

const isClosed = (fact: Fact): boolean =>
  fact.kind === 'stub' && (fact.reason === 'waiting_for_key' || fact.reason === 'other_key');

export class Indexer {
  readonly #deps: IndexerDeps;
  readonly #far = new Map<Id, Indexed>();
  readonly #loading = new Map<Id, Promise<void>>();
  /** Rooms of which something was indexed that is not kept yet. */
  readonly #unkept = new Set<Id>();
  #keptAt = 0;
  #running = false;
  /** The room of which a page opens. */
  #opening: Id | null = null;
  /** Something came while it ran. */
  #again = false;
  #stopped = false;
  #cancel: (() => void) | null = null;

  constructor(deps: IndexerDeps) {
    this.#deps = deps;
  }

  /** What the index knows of these rooms. */
  coverage(rooms: readonly RoomHandle[]): Coverage {
    const known = rooms.map(({ room, log }) => ({ far: this.#far.get(room.id), log }));
    const begun = known.filter(({ far }) => far !== undefined && far.high > 0);
    const since = begun.map(({ far }) => far?.since ?? 0).filter((at) => at > 0);
    const complete = known.every(({ far, log }) => {
      if (!log.begun) return false;
      if (log.high === 0) return true;
      if (far === undefined || log.first === null) return false;
      return far.low <= log.first && far.high >= log.high;
    });
    // Of the rooms of which the index does not know all, the one it knows least of.
    const partial = known.flatMap(({ far, log }) =>
      far !== undefined && far.since > 0 && far.low > (log.first ?? 0) ? [far.since] : [],
    );
    if (since.length === 0) return { since: null, complete };
    return { since: partial.length > 0 ? Math.max(...partial) : Math.min(...since), complete };
  }

  /** What was kept of a room's index; again and again the same promise. */
  load(room: Id): Promise<void> {
    const known = this.#loading.get(room);
    if (known !== undefined) return known;
    const loading = this.#load(room);
    this.#loading.set(room, loading);
    return loading;
  }

  async #load(room: Id): Promise<void> {
    const { search, store } = this.#deps;
    const kept = await store.read(room);
    if (kept === null) return;
    for (const part of kept.parts) if (!(await search.load(part))) return;
    this.#far.set(room, kept.indexed);
  }

  /** New facts of live items. */
  arrived(room: Id, facts: readonly Fact[]): void {
    const far = this.#far.get(room);
    const [first, last] = [facts[0], facts.at(-1)];
    if (first === undefined || last === undefined) return;
    if (far === undefined || first.position > far.high + 1) return this.wake();
    this.#feed(room, facts, { high: last.position }).catch(this.#deps.failed);
    this.wake();
  }

  /** Opens what is kept, and feeds it unless keys came meanwhile: then it is opened once more. */
  async #read(
    { room: { id }, log }: RoomHandle,
    items: readonly Item[],
    to: Partial<Indexed>,
  ): Promise<void> {
    this.#opening = id;
    const facts = await log.look(items);
    if (this.#opening !== id && facts.some(isClosed)) return;
    this.#opening = null;
    await this.#feed(id, facts, to);
  }

  /** What was read, and how far that leads; meanwhile the room may have got further by itself. */
  async #feed(
    room: Id,
    facts: readonly Fact[],
    { high = 0, ...older }: Partial<Indexed>,
  ): Promise<void> {
    const far = this.#far.get(room);
    // Keys came: it begins anew.
    if (far === undefined) return;
    const closed = far.closed || facts.some(isClosed);
    this.#far.set(room, { ...far, ...older, high: Math.max(far.high, high), closed });
    this.#unkept.add(room);
    const entries = entriesOf(facts);
    if (entries.length > 0) await this.#deps.search.feed(room, entries);
  }

  /** Keys came: a room of which something could not be opened is indexed anew. */
  reopened(room: Id): void {
    if (this.#opening === room) this.#opening = null;
    if (this.#far.get(room)?.closed !== true) return;
    this.#far.delete(room);
    this.wake();
  }

  /** There may be something to do. */
  wake(): void {
    this.#again = true;
    if (this.#running || this.#stopped) return;
    this.#running = true;
    this.#after(REST_MS);
  }

  #after(wait: number): void {
    this.#cancel = this.#deps.clock.after(wait, () => {
      this.#turn().catch((error: unknown) => {
        this.#running = false;
        this.#deps.failed(error);
      });
    });
  }

  async #turn(): Promise<void> {
    let worked = false;
    this.#again = false;
    for (const handle of this.#deps.rooms()) {
      if (this.#stopped) return;
      worked = await this.#step(handle);
      if (worked) break;
    }
    const now = this.#deps.clock.now();
    if (!worked || now - this.#keptAt >= KEEP_MS) await this.keep();
    if (this.#stopped) return;
    if (worked || this.#again) this.#after(PAUSE_MS);
    else this.#running = false;
  }

  /** One step for a room: what is newer, then what is older and kept, then what the box has. */
  async #step(handle: RoomHandle): Promise<boolean> {
    const { history, online } = this.#deps;
    const { log } = handle;
    const { id } = handle.room;
    if (!log.begun || log.high === 0) return false;
    await this.load(id);
    const far = this.#far.get(id) ?? { low: log.high + 1, high: log.high, since: 0, closed: false };
    this.#far.set(id, far);
    if (far.high < log.high) {
      const items = await history.oldest(id, BATCH, far.high + 1);
      const last = items.at(-1);
      const high = items.length < BATCH || last === undefined ? log.high : endOf(last);
      await this.#read(handle, items, { high });
      return true;
    }
    if (far.low > log.low) {
      const found = await history.newest(id, BATCH, far.low);
      const items = found.filter(({ position }) => position >= log.low);
      const low = items.length < BATCH ? log.low : (items[0]?.position ?? log.low);
      await this.#read(handle, items, { low, since: timeOf(items) ?? far.since });
      return true;
    }
    if (log.first === null || log.low <= log.first || !online()) return false;
    await log.keepOlder();
    return true;
  }

  /** Keeps what was indexed since the last time. */
  async keep(): Promise<void> {
    const { search, store, clock } = this.#deps;
    if (this.#unkept.size === 0 || this.#stopped) return;
    this.#keptAt = clock.now();
    const far = new Map([...this.#far].filter(([room]) => this.#unkept.has(room)));
    this.#unkept.clear();
    const changed = await search.changed();
    // Nothing is left where somebody has signed out meanwhile.
    if (!this.#stopped) await store.keep(changed, far);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#deps.search.forget().catch(this.#deps.failed);
  }
}

/** When the oldest of these came; null where none says. */
function timeOf(items: readonly Item[]): number | null {
  for (const item of items) if (item.kind !== 'damaged') return item.receivedAt;
  return null;
}
