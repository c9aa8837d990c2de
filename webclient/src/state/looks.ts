// The colours of rooms, as this browser keeps them.
import type { LookStore } from '../local/looks';
import { ROOM_COLOURS, type Looks, type RoomColour, type RoomLooks } from './looks_model';
import { Observable } from './observable';

const OWN = ROOM_COLOURS[0];

export class PaintedRooms implements Looks {
  readonly #store: LookStore;
  readonly #failed: (error: unknown) => void;
  readonly #looks = new Observable<RoomLooks>(new Map());

  constructor(store: LookStore, failed: (error: unknown) => void) {
    this.#store = store;
    this.#failed = failed;
  }

  subscribe(run: (looks: RoomLooks) => void): () => void {
    return this.#looks.subscribe(run);
  }

  /** What is kept; nothing where that does not read. */
  async load(): Promise<void> {
    this.#looks.set(await this.#store.all());
  }

  /** Nobody is signed in any more. */
  leave(): void {
    this.#looks.set(new Map());
  }

  paint(room: string, colour: RoomColour): void {
    const next = new Map(this.#looks.value);
    if (colour === OWN) next.delete(room);
    else next.set(room, colour);
    this.#looks.set(next);
    this.#store.keep(room, colour === OWN ? null : colour).catch(this.#failed);
  }
}
