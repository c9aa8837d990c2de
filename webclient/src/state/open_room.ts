// The room that is open: what of it is read when somebody looks, and where the new begins.
import type { Id } from '../protocol/ids';
import type { Attention } from './deps';
import type { Library } from './library';
import type { Receipts } from './receipts';
import type { RoomHandle } from './room';

export interface OpenRoomDeps {
  readonly attention: Attention;
  /** Throws when the room is not here. */
  readonly need: (id: string) => RoomHandle;
  readonly find: (id: Id) => RoomHandle | null;
  readonly library: () => Library;
  readonly receipts: () => Receipts;
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

export class OpenRoom {
  readonly #deps: OpenRoomDeps;
  #id: Id | null = null;
  #stopped = false;

  constructor(deps: OpenRoomDeps) {
    this.#deps = deps;
    deps.attention.onChange(() => this.seen(true));
  }

  stop(): void {
    this.#stopped = true;
  }

  is(room: Id): boolean {
    return this.#id === room;
  }

  get handle(): RoomHandle | null {
    return this.#id === null ? null : this.#deps.find(this.#id);
  }

  async open(id: string): Promise<RoomHandle> {
    const handle = this.#deps.need(id);
    this.#id = handle.room.id;
    handle.readTo = null;
    this.#deps.library().reading.toNewest().catch(this.#deps.failed);
    this.#deps.changed();
    await this.begin(handle);
    return handle;
  }

  close(): void {
    if (this.#id === null) return;
    this.#id = null;
    this.#deps.changed();
  }

  /** Opened: what is new begins where the person left off, once the first page is here. */
  async begin(handle: RoomHandle): Promise<void> {
    void this.#deps.library().thread.pins(handle);
    if (!handle.log.begun || handle.readTo !== null) return;
    handle.readTo = handle.log.read;
    await this.#read(handle);
  }

  /** It is before somebody's eyes: all that is here is read. */
  async #read(handle: RoomHandle): Promise<void> {
    if (!this.#deps.attention.seen()) return;
    await handle.log.markRead().catch(this.#deps.failed);
    this.#deps.receipts().mark(handle.room.id, handle.log.read);
    this.#deps.changed();
  }

  /** Something came, or the page is looked at again (`back`). */
  seen(back: boolean): void {
    const { handle } = this;
    if (handle === null || this.#stopped || !this.#deps.attention.seen()) return;
    const { log } = handle;
    // What came meanwhile is new; what comes before somebody's eyes is not, unless it follows such.
    if (!back && (handle.readTo ?? 0) >= log.read) handle.readTo = log.high;
    if (back && log.read < log.high) handle.readTo = log.read;
    void this.#read(handle);
  }
}
