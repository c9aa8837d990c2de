// Searching: hits of the index, opened again with what stands before and after them.
import type { HistoryStore } from '../local/history';
import type { Hit, Search } from '../local/search_index';
import type { Id } from '../protocol/ids';
import type { Indexer } from './indexer';
import type { TimelineItem } from './model';
import type { People } from './people';
import { deviceName, type RoomHandle } from './room';
import type { Found, Results, Snippet, Sought } from './search_model';
import { timelineOf } from './timeline';

/** Items on either side of a hit that are opened to find its neighbours. */
const AROUND = 6;

export interface SearchDeps {
  readonly me: Id;
  readonly people: People;
  readonly search: Search;
  readonly indexer: Indexer;
  readonly history: HistoryStore;
  readonly rooms: () => readonly RoomHandle[];
}

function snippet(item: TimelineItem | undefined): Snippet | null {
  if (item?.kind === 'message' && !item.deleted && item.position !== null) {
    const { id, position, at, sender, attachments } = item;
    const text = item.text === '' ? attachments.map(({ name }) => name).join(', ') : item.text;
    return { id, position, at, sender, name: sender.displayName, text };
  }
  if (item?.kind !== 'post') return null;
  const { id, position, at, device, title, text } = item;
  const said = [title, text].filter((part) => part !== null && part !== '').join(': ');
  return { id, position, at, sender: null, name: device.name, text: said };
}

export class SearchState {
  readonly #deps: SearchDeps;

  constructor(deps: SearchDeps) {
    this.#deps = deps;
  }

  async find(sought: Sought, limit: number): Promise<Results> {
    const { rooms, indexer, search } = this.#deps;
    const among = rooms().filter(({ room }) => sought.room === null || room.id === sought.room);
    for (const { room } of among) await indexer.load(room.id);
    const hits = await search.find({ ...sought, limit: limit + 1 });
    const found: Found[] = [];
    for (const hit of hits.slice(0, limit)) {
      const handle = among.find(({ room }) => room.id === hit.room);
      const shown = handle === undefined ? null : await this.#found(handle, hit);
      if (shown !== null) found.push(shown);
    }
    return { found, more: hits.length > limit, coverage: indexer.coverage(among) };
  }

  /** Null: it was erased, or does not open any more. */
  async #found(handle: RoomHandle, { id, position, terms }: Hit): Promise<Found | null> {
    const said = (await this.#around(handle, position)).flatMap((item) => {
      const one = snippet(item);
      return one === null ? [] : [one];
    });
    const at = said.findIndex((one) => one.id === id);
    const hit = said[at];
    if (hit === undefined) return null;
    const { room } = handle;
    const [before, after] = [said[at - 1] ?? null, said[at + 1] ?? null];
    return { room: { id: room.id, name: room.name }, hit, before, after, terms };
  }

  async #around(handle: RoomHandle, position: number): Promise<TimelineItem[]> {
    const { history, me, people } = this.#deps;
    const { room, log } = handle;
    const items = [
      ...(await history.newest(room.id, AROUND, position)),
      ...(await history.oldest(room.id, AROUND, position)),
    ];
    const facts = await log.look(items);
    const last = facts.at(-1)?.position ?? position;
    return timelineOf({
      facts: [...facts, ...log.relations.changesAfter(last, facts)],
      pending: [],
      me,
      complete: false,
      run: null,
      person: (one) => people.person(one),
      device: (one) => deviceName(handle, one),
    });
  }
}
