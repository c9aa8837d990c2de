// Which stretch of the open room is read: older and newer pages, spots far away, back to the newest.
import { isId } from '../protocol/ids';
import type { Fact } from '../session/fact';
import type { Parts } from './deps';
import { ProblemError } from './problem';
import type { Reading, ReadingView, Spot } from './reading_model';
import type { RoomHandle } from './room';

export interface ReadingDeps {
  readonly parts: Pick<Parts, 'api'>;
  readonly current: () => RoomHandle | null;
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

/** What of a room is being read, beside its log. */
export interface Place {
  loadingOlder: boolean;
  loadingNewer: boolean;
  /** The person is at the end of what is shown. */
  following: boolean;
  /** The newest position that was before the person's eyes. */
  seenTo: number;
}

export const begun = (): Place => ({
  loadingOlder: false,
  loadingNewer: false,
  following: true,
  seenTo: 0,
});

export class ReadingState implements Pick<Reading, 'newer' | 'goTo' | 'toNewest' | 'follow'> {
  readonly #deps: ReadingDeps;

  constructor(deps: ReadingDeps) {
    this.#deps = deps;
  }

  async #page(which: 'loadingOlder' | 'loadingNewer'): Promise<void> {
    const { current, changed, failed } = this.#deps;
    const handle = current();
    if (handle === null || handle.place[which]) return;
    handle.place[which] = true;
    changed();
    try {
      await (which === 'loadingOlder' ? handle.log.older() : handle.log.newer());
    } catch (error) {
      failed(error);
    } finally {
      handle.place[which] = false;
      changed();
    }
  }

  older(): Promise<void> {
    return this.#page('loadingOlder');
  }

  newer(): Promise<void> {
    return this.#page('loadingNewer');
  }

  async goTo(spot: Spot): Promise<number | null> {
    const { current, parts } = this.#deps;
    const handle = current();
    if (handle === null) throw new ProblemError('no_room', 'no room is open', 'open a room');
    if (!handle.log.begun) await handle.log.begin();
    handle.place.following = false;
    if (spot.kind === 'position') return handle.log.goTo(spot.position);
    if (spot.kind === 'item') return isId(spot.id) ? handle.log.goTo(spot.id) : null;
    const query = { limit: 1, since: spot.at };
    const { items, headPosition } = await parts.api.messages.page(handle.room.id, query);
    return handle.log.goTo(items[0]?.position ?? headPosition);
  }

  async toNewest(): Promise<void> {
    const handle = this.#deps.current();
    if (handle === null) return;
    handle.place.following = true;
    await handle.log.toNewest();
  }

  follow(atEnd: boolean): void {
    const handle = this.#deps.current();
    if (handle === null) return;
    const { place, log } = handle;
    const following = atEnd && log.atNewest;
    if (following) place.seenTo = log.high;
    if (place.following === following) return;
    place.following = following;
    log.follow(following);
    this.#deps.changed();
  }
}

const isNews = (fact: Fact, me: string): boolean =>
  fact.kind === 'post' ||
  (fact.kind === 'event' && fact.body.type === 'message' && fact.sender !== me);

/** What screens get of it. */
export function readingOf(handle: RoomHandle, me: string): Omit<ReadingView, 'thread' | 'pins'> {
  const { log, place, readTo } = handle;
  if (place.following) place.seenTo = log.high;
  const below = log.newest().filter((fact) => fact.position > place.seenTo && isNews(fact, me));
  const answers = new Map<string, number>();
  for (const fact of log.facts()) {
    if (fact.kind !== 'event' || fact.body.type !== 'message') continue;
    const count = log.relations.answers(fact.id).length;
    if (count > 0) answers.set(fact.id, count);
  }
  const news = log.newest().find((fact) => fact.position > (readTo ?? 0) && isNews(fact, me));
  return {
    atNewest: log.atNewest,
    loadingNewer: place.loadingNewer,
    below: place.following ? 0 : below.length,
    answers,
    firstNew: news?.position ?? null,
  };
}
