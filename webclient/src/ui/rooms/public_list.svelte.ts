// The public rooms of the house, page by page.
import type { PublicRoom, RoomDesk } from '../../state/people_model';

/** A house with more of them than this many pages is searched as far as they go. */
const PAGES_MAX = 40;

/** Fetches as much as is looked at; what goes wrong is a Problem. */
export class PublicList {
  rooms = $state.raw<readonly PublicRoom[]>([]);
  /** There are more on the box. */
  more = $state(true);
  #after: string | null = null;
  readonly #desk: Pick<RoomDesk, 'publicRooms'>;

  constructor(desk: Pick<RoomDesk, 'publicRooms'>) {
    this.#desk = desk;
  }

  /** The next page. */
  async next(): Promise<void> {
    if (!this.more) return;
    const { rooms, next } = await this.#desk.publicRooms(this.#after);
    // A room in which somebody wrote meanwhile can come a second time.
    const known = new Set(this.rooms.map(({ id }) => id));
    this.rooms = [...this.rooms, ...rooms.filter(({ id }) => !known.has(id))];
    this.#after = next;
    this.more = next !== null;
  }

  /** All that is left, to be searched. */
  async all(): Promise<void> {
    for (let pages = 0; this.more && pages < PAGES_MAX; pages += 1) await this.next();
  }
}
