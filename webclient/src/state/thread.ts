// The answers to one message, wherever they stand in the room, and pinned messages: read beside the timeline.
import type { HistoryStore } from '../local/history';
import type { Search } from '../local/search_index';
import { isId, type Id } from '../protocol/ids';
import type { Fact } from '../session/fact';
import type { Parts } from './deps';
import type { Indexer } from './indexer';
import type { TimelineItem } from './model';
import type { PinView, ThreadView } from './reading_model';
import type { RoomHandle } from './room';
import { timelineOf, type TimelineInput } from './timeline';

export interface ThreadDeps {
  readonly parts: Pick<Parts, 'api'>;
  readonly search: Search;
  readonly indexer: Indexer;
  readonly history: HistoryStore;
  readonly current: () => RoomHandle | null;
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

/** What is read beside the timeline. */
export interface Beside {
  /** The message whose answers are shown. */
  parent: Id | null;
  loading: boolean;
  /** Messages that were read for the thread and the pins, by id. */
  readonly facts: Map<string, Fact>;
  /** Pinned messages that were looked for. */
  readonly looked: Set<string>;
}

export const besideNothing = (): Beside => ({
  parent: null,
  loading: false,
  facts: new Map(),
  looked: new Set(),
});

/** Items of a position that are read at a time for a thread. */
const ONE = 1;

export class ThreadState {
  readonly #deps: ThreadDeps;

  constructor(deps: ThreadDeps) {
    this.#deps = deps;
  }

  /** Shows the answers to a message. */
  async open(id: string): Promise<void> {
    const { current, changed, failed } = this.#deps;
    const handle = current();
    if (handle === null || !isId(id)) return;
    const { beside } = handle;
    beside.parent = id;
    beside.loading = true;
    changed();
    try {
      await this.#learn(handle, id);
      await this.#answers(handle, id);
    } catch (error) {
      failed(error);
    } finally {
      beside.loading = false;
      changed();
    }
  }

  close(): void {
    const handle = this.#deps.current();
    if (handle === null || handle.beside.parent === null) return;
    handle.beside.parent = null;
    this.#deps.changed();
  }

  /** Reads one message, from what is in memory, else from the box. */
  async #learn({ room, log, beside }: RoomHandle, id: Id): Promise<void> {
    const known = log.facts().find((fact) => 'id' in fact && fact.id === id) ?? log.known(id);
    if (known !== null) return void beside.facts.set(id, known);
    const page = await this.#deps.parts.api.messages.page(room.id, { limit: 2, around: id });
    const facts = await log.look(page.items);
    const found = facts.find((fact) => 'id' in fact && fact.id === id);
    if (found !== undefined) beside.facts.set(id, found);
  }

  /** Answers that were read before, by the index. */
  async #answers({ room, log }: RoomHandle, id: Id): Promise<void> {
    const { indexer, search, history } = this.#deps;
    await indexer.load(room.id);
    const known = new Set(log.relations.answers(id).map(({ position }) => position));
    for (const position of await search.answers(room.id, id)) {
      if (!known.has(position)) await log.look(await history.oldest(room.id, ONE, position));
    }
  }

  /** Reads the pinned messages of a room that were not read yet. */
  async pins(handle: RoomHandle): Promise<void> {
    const { beside, room } = handle;
    const missing = room.pins.filter(({ message }) => !beside.looked.has(message));
    if (missing.length === 0) return;
    for (const { message } of missing) {
      beside.looked.add(message);
      await this.#learn(handle, message).catch(this.#deps.failed);
    }
    this.#deps.changed();
  }
}

/** These facts and all that changes them, as items. */
function itemsOf(
  handle: RoomHandle,
  facts: readonly Fact[],
  input: Omit<TimelineInput, 'facts' | 'complete' | 'run'>,
): TimelineItem[] {
  const { relations } = handle.log;
  const changes = new Map(
    [...facts, ...relations.changesAfter(0, facts)].map((one) => [one.position, one]),
  );
  const all = [...changes.values()].sort((a, b) => a.position - b.position);
  return timelineOf({ ...input, facts: all, complete: false, run: null });
}

const isSaid = ({ kind }: TimelineItem): boolean => kind === 'message' || kind === 'post';

/** The thread that is open; null: none. */
export function threadOf(
  handle: RoomHandle,
  input: Omit<TimelineInput, 'facts' | 'complete' | 'run'>,
): ThreadView | null {
  const { parent, loading, facts } = handle.beside;
  if (parent === null) return null;
  const first = facts.get(parent);
  const answers = handle.log.relations.answers(parent);
  const pending = input.pending.filter(({ fact: { body } }) => {
    if (body.type === 'message') return body.parentId === parent;
    return (
      'target' in body && (body.target === parent || answers.some(({ id }) => id === body.target))
    );
  });
  const items = itemsOf(handle, first === undefined ? answers : [first, ...answers], {
    ...input,
    pending,
  });
  // What all of them answer stands above them.
  const plain = items.filter(isSaid).map((item) => {
    return item.kind === 'message' && item.parentId === parent ? { ...item, quote: null } : item;
  });
  return { parent, loading, items: plain };
}

/** The pinned messages, the one pinned last first. */
export function pinsOf(
  handle: RoomHandle,
  input: Omit<TimelineInput, 'facts' | 'complete' | 'run'>,
): PinView[] {
  const { room, beside } = handle;
  if (room.pins.length === 0) return [];
  const facts = room.pins.flatMap(({ message }) => beside.facts.get(message) ?? []);
  const items = itemsOf(handle, facts, { ...input, pending: [] });
  return room.pins.toReversed().map(({ message, position, by }) => {
    const item = items.find(({ id }) => id === message);
    const said = item?.kind === 'message' || item?.kind === 'post' ? item : null;
    const name = said?.kind === 'post' ? said.device.name : (said?.sender.displayName ?? null);
    return { id: message, position, by: input.person(by), name, text: said?.text ?? null };
  });
}
