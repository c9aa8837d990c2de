// The outbox: serial per room, sealed when its turn comes, sent until the box has stored it, once.
import type { Entry, OutboxStore } from '../local/outbox';
import type { Id } from '../protocol/ids';
import type { Clock } from './clock';
import { LinkLost, REASON, Refused } from './transport';

export interface Problem {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export type Delivery =
  | { readonly kind: 'queued' }
  | { readonly kind: 'sealing' }
  | { readonly kind: 'sending' }
  | { readonly kind: 'stored' }
  | { readonly kind: 'failed'; readonly problem: Problem };

export interface Outgoing {
  readonly entry: Entry;
  readonly delivery: Delivery;
}

export interface OutboxDeps {
  readonly store: OutboxStore;
  readonly clock: Clock;
  readonly isOnline: () => boolean;
  /** The payload for `in`, or null while the room's key is not here. */
  readonly payload: (entry: Entry, seq: number) => Promise<Uint8Array | null>;
  /** Whether this room's events are numbered (sealed rooms). */
  readonly isNumbered: (room: Id) => boolean;
  readonly publish: (room: Id, payload: Uint8Array) => Promise<void>;
  /** The epoch moved on: fetch it. */
  readonly refreshKeys: (room: Id) => Promise<void>;
  /** The box wants a new epoch before anything else: make it. */
  readonly rotate: (room: Id) => Promise<void>;
  /** An entry lies in the store: where another tab leads, that one sends it. */
  readonly written: (id: Id) => void;
  readonly changed: (room: Id) => void;
}

const LATER_MS = 1_500;
/** Turns of the same entry without getting further, before it waits. */
const TURNS_MAX = 5;

type Outcome = 'stored' | 'again' | 'later' | 'waiting' | Problem;

export class Outbox {
  readonly #deps: OutboxDeps;
  /** By room, in the order of writing. */
  readonly #rooms = new Map<Id, Outgoing[]>();
  readonly #busy = new Set<Id>();
  readonly #later = new Map<Id, () => void>();
  /** What changes the entries, kept and here, goes one after the other. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#changing.then(run);
    this.#changing = turn.catch(() => undefined);
    return turn;
  }

  /** Takes up what an earlier page or another tab left, and forgets what those have sent. */
  load(): Promise<void> {
    return this.#inTurn(() => this.#load());
  }

  async #load(): Promise<void> {
    const entries = await this.#deps.store.all();
    const rooms = new Set([...this.#rooms.keys(), ...entries.map(({ room }) => room)]);
    for (const room of rooms) {
      const here = this.#list(room);
      const stored = here.filter(({ delivery }) => delivery.kind === 'stored');
      const kept = entries.filter((entry) => entry.room === room);
      const taken = kept.map((entry): Outgoing => {
        const { failed } = entry;
        if (failed !== null) return { entry, delivery: { kind: 'failed', problem: failed } };
        const known = here.find((one) => one.entry.id === entry.id);
        // What failed here may be tried again from another tab.
        const moves = known !== undefined && known.delivery.kind !== 'failed';
        return moves ? known : { entry, delivery: { kind: 'queued' } };
      });
      here.splice(0, here.length, ...stored, ...taken);
      this.#deps.changed(room);
    }
  }

  #list(room: Id): Outgoing[] {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const made: Outgoing[] = [];
    this.#rooms.set(room, made);
    return made;
  }

  /** What is on its way in a room, stored ones until their echo came. */
  items(room: Id): readonly Outgoing[] {
    return this.#rooms.get(room) ?? [];
  }

  /** Entries that are not stored yet. */
  waiting(): number {
    const all = [...this.#rooms.values()].flat();
    return all.filter(({ delivery }) => delivery.kind !== 'stored').length;
  }

  /** Lies in IndexedDB when this resolves. */
  async add(entry: Entry, files?: ReadonlyMap<Id, Blob>): Promise<void> {
    await this.#inTurn(async () => {
      await this.#deps.store.put(entry, files);
      this.#queue(entry);
    });
    this.#deps.written(entry.id);
  }

  /** Another tab has written or tries again: this one sends it. */
  takeUp(id: Id): Promise<void> {
    return this.#inTurn(async () => {
      const entry = await this.#deps.store.get(id);
      const known = this.#find(id)?.delivery.kind;
      if (entry === null || (known !== undefined && known !== 'failed')) return;
      if (known === 'failed') this.#remove(entry);
      this.#queue(entry);
    });
  }

  #queue(entry: Entry): void {
    this.#list(entry.room).push({ entry, delivery: { kind: 'queued' } });
    this.#deps.changed(entry.room);
    this.wake(entry.room);
  }

  async retry(id: Id): Promise<void> {
    const again = await this.#inTurn(async () => {
      const found = this.#find(id);
      if (found?.delivery.kind !== 'failed') return null;
      const entry: Entry = { ...found.entry, failed: null };
      await this.#deps.store.put(entry);
      this.#replace(entry, { kind: 'queued' });
      return entry;
    });
    if (again === null) return;
    this.wake(again.room);
    this.#deps.written(id);
  }

  /** The oldest entry with files that have to go up before it. */
  nextUpload(): Entry | null {
    const all = [...this.#rooms.values()].flat();
    const waits = ({ entry, delivery }: Outgoing): boolean =>
      delivery.kind === 'queued' && entry.uploads.length > 0;
    return all.find(waits)?.entry ?? null;
  }

  /** One of its files is on the box: `entry` says what is left, `file` what it was called here. */
  async uploaded(entry: Entry, file: Id): Promise<void> {
    await this.#inTurn(async () => {
      if (this.#find(entry.id) === undefined) return;
      await this.#deps.store.putUploaded(entry, file);
      this.#replace(entry, { kind: 'queued' });
    });
    this.wake(entry.room);
  }

  /** One of its files cannot go up. */
  notUploaded(entry: Entry, problem: Problem): Promise<void> {
    return this.#settle(entry, null, problem);
  }

  /** Takes an entry back; false when it may be on the box already. */
  discard(id: Id): Promise<boolean> {
    return this.#inTurn(async () => {
      const found = this.#find(id);
      if (found === undefined) return true;
      const { entry, delivery } = found;
      const untouched = delivery.kind === 'queued' && !entry.tried;
      if (delivery.kind !== 'failed' && !untouched) return false;
      this.#remove(entry);
      await this.#deps.store.done(entry, null);
      return true;
    });
  }

  /** The box has published it: stored, whatever became of the acknowledgement. */
  async echo(room: Id, id: Id, seq: number | null): Promise<void> {
    if (this.#find(id)?.entry.room !== room) return;
    await this.#inTurn(async () => {
      const found = this.#find(id);
      if (found === undefined) return;
      // Out of the store first: whoever comes next in this room counts on its number.
      if (found.delivery.kind !== 'stored') await this.#deps.store.done(found.entry, seq);
      this.#remove(found.entry);
    });
  }

  /** Something changed: online, keys, time. */
  wake(room: Id): void {
    this.#later.get(room)?.();
    this.#later.delete(room);
    void this.#pump(room);
  }

  wakeAll(): void {
    for (const room of this.#rooms.keys()) this.wake(room);
  }

  stop(): void {
    for (const cancel of this.#later.values()) cancel();
    this.#later.clear();
  }

  #find(id: Id): Outgoing | undefined {
    for (const list of this.#rooms.values()) {
      const found = list.find(({ entry }) => entry.id === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #replace(entry: Entry, delivery: Delivery): void {
    const list = this.#list(entry.room);
    const at = list.findIndex((one) => one.entry.id === entry.id);
    if (at < 0) return;
    list[at] = { entry, delivery };
    this.#deps.changed(entry.room);
  }

  #remove(entry: Entry): void {
    const list = this.#list(entry.room);
    const at = list.findIndex((one) => one.entry.id === entry.id);
    if (at >= 0) list.splice(at, 1);
    this.#deps.changed(entry.room);
  }

  async #pump(room: Id): Promise<void> {
    if (this.#busy.has(room)) return;
    this.#busy.add(room);
    try {
      for (let turns = 0; this.#deps.isOnline();) {
        // What waits for its files lets the others pass.
        const next = this.#list(room).find(
          ({ entry, delivery }) => delivery.kind === 'queued' && entry.uploads.length === 0,
        );
        if (next === undefined) return;
        const outcome = await this.#send(next.entry);
        turns = outcome === 'again' ? turns + 1 : 0;
        if (outcome === 'waiting') return;
        if (outcome === 'later' || turns > TURNS_MAX) return this.#wakeLater(room);
      }
    } finally {
      this.#busy.delete(room);
    }
  }

  #wakeLater(room: Id): void {
    this.#later.get(room)?.();
    this.#later.set(
      room,
      this.#deps.clock.after(LATER_MS, () => this.wake(room)),
    );
  }

  /** One try of one entry; where it ends is written into its delivery. */
  async #send(first: Entry): Promise<Outcome> {
    const numbered = this.#deps.isNumbered(first.room);
    const seq = numbered ? (await this.#deps.store.seq(first.room)) + 1 : null;
    let entry = first;
    let outcome: Outcome;
    try {
      this.#replace(entry, { kind: 'sealing' });
      const payload = await this.#deps.payload(entry, seq ?? 0);
      if (payload === null) {
        this.#replace(entry, { kind: 'queued' });
        return 'waiting';
      }
      entry = { ...entry, tried: true };
      // Its echo may have come first and taken it out: then it is on the box.
      if (!(await this.#keep(entry, { kind: 'sending' }))) return 'stored';
      await this.#deps.publish(entry.room, payload);
      outcome = 'stored';
    } catch (error) {
      outcome = await this.#judge(entry.room, error);
    }
    await this.#settle(entry, seq, outcome);
    return outcome;
  }

  /** Keeps an entry as it is now; false where it is not here any more. */
  #keep(entry: Entry, delivery: Delivery): Promise<boolean> {
    return this.#inTurn(async () => {
      if (this.#find(entry.id) === undefined) return false;
      await this.#deps.store.put(entry);
      this.#replace(entry, delivery);
      return true;
    });
  }

  async #settle(entry: Entry, seq: number | null, outcome: Outcome): Promise<void> {
    if (outcome === 'stored') {
      await this.#inTurn(async () => {
        if (this.#find(entry.id) === undefined) return;
        await this.#deps.store.done(entry, seq);
        this.#replace(entry, { kind: 'stored' });
      });
    } else if (typeof outcome === 'string') {
      this.#replace(entry, { kind: 'queued' });
    } else {
      const failed: Entry = { ...entry, tried: false, failed: outcome };
      await this.#keep(failed, { kind: 'failed', problem: outcome });
    }
  }

  async #judge(room: Id, error: unknown): Promise<Outcome> {
    if (error instanceof LinkLost) return 'waiting';
    if (!(error instanceof Refused)) return problemOf(error);
    try {
      switch (error.code) {
        case 'stale_epoch':
        case 'unknown_epoch':
        case 'no_epoch':
        case 'not_listed':
          await this.#deps.refreshKeys(room);
          return 'again';
        case 'rotate_first':
          await this.#deps.rotate(room);
          return 'again';
        case 'too_fast':
          return 'later';
        default:
          return error.reason === REASON.quota || error.reason === UNAVAILABLE
            ? 'later'
            : { code: error.code, message: error.message, hint: '' };
      }
    } catch {
      // The keys could not be fetched or made now: the message waits and is tried again.
      return 'later';
    }
  }
}

/** MQTT 5: implementation specific error; the box says it cannot now. */
const UNAVAILABLE = 0x83;

function problemOf(error: unknown): Problem {
  const message = error instanceof Error ? error.message : String(error);
  return { code: 'not_sealed', message, hint: 'try again; reload the page if it stays' };
}
