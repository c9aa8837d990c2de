// The state of the rooms drawn for the screens: once for many changes, and only what has changed.
import type { AppState, RoomSummary, RoomView } from './model';
import { viewOf, type RoomContext, type RoomHandle } from './room';
import { kept, sortRooms } from './summary';

export interface DrawingDeps {
  readonly current: () => RoomHandle | null;
  readonly begin: (current: RoomHandle) => Promise<void>;
  readonly context: (current: RoomHandle) => RoomContext;
  readonly summaries: () => RoomSummary[];
  readonly waiting: () => number;
  readonly changed: (change: Partial<AppState>) => void;
}

export class Drawing {
  readonly #deps: DrawingDeps;
  #asked = false;
  #stopped = false;
  #rooms: readonly RoomSummary[] = [];
  #view: RoomView | null = null;

  constructor(deps: DrawingDeps) {
    this.#deps = deps;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Draws the state anew, soon. */
  ask(): void {
    if (this.#asked || this.#stopped) return;
    this.#asked = true;
    queueMicrotask(() => {
      this.#asked = false;
      if (!this.#stopped) this.#draw();
    });
  }

  #draw(): void {
    const current = this.#deps.current();
    if (current !== null) void this.#deps.begin(current);
    this.#rooms = kept(this.#rooms, sortRooms(this.#deps.summaries()));
    this.#view = current === null ? null : viewOf(current, this.#deps.context(current), this.#view);
    this.#deps.changed({
      rooms: this.#rooms,
      currentRoom: this.#view,
      waiting: this.#deps.waiting(),
    });
  }
}
