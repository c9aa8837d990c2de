// Who is writing right now: told live, forgotten after five seconds, sealed in sealed rooms.
import { BytesError } from '../protocol/bytes';
import { typing, typingJson } from '../protocol/event';
import { newId, type Id } from '../protocol/ids';
import { parseJsonBytes, SchemaError } from '../protocol/schema';
import type { Sealing } from '../sealing/requests';
import type { Clock } from '../session/clock';

/** What was told lasts so long (design §4). */
const LASTS_MS = 5_000;
/** One's own writing is told again after so long. */
const AGAIN_MS = 3_000;

export interface TypingDeps {
  readonly clock: Clock;
  readonly random: (length: number) => Uint8Array;
  readonly sealing: Sealing;
  readonly writer: () => number;
  /** Sends at most once, to the room's `live` topic. */
  readonly tell: (room: Id, payload: Uint8Array) => void;
  /** Whether the room is sealed, as this client knows it; null where nothing can be told now. */
  readonly isSealed: (room: Id) => boolean | null;
  readonly changed: () => void;
}

export class TypingState {
  readonly #deps: TypingDeps;
  /** By room and person: what ends it. */
  readonly #ends = new Map<Id, Map<Id, () => void>>();
  #told: { readonly room: Id; readonly at: number } | null = null;

  constructor(deps: TypingDeps) {
    this.#deps = deps;
  }

  /** In the order of beginning. */
  in(room: Id): Id[] {
    return [...(this.#ends.get(room)?.keys() ?? [])];
  }

  /** A notice on `live`. What does not read, or is not by whom the topic says, is nothing. */
  async heard(room: Id, user: Id, payload: Uint8Array): Promise<void> {
    const sealed = this.#deps.isSealed(room);
    if (sealed === null) return;
    const body = sealed ? await this.#opened(room, user, payload) : payload;
    if (body === null) return;
    try {
      const { on } = parseJsonBytes(typing, body);
      if (on) this.#begin(room, user);
      else this.ended(room, user);
    } catch (error) {
      if (!(error instanceof SchemaError) && !(error instanceof BytesError)) throw error;
    }
  }

  async #opened(room: Id, user: Id, payload: Uint8Array): Promise<Uint8Array | null> {
    const [opened] = await this.#deps.sealing.open(room, [payload]);
    if (opened?.kind !== 'opened' || opened.event !== 3 || opened.sender !== user) return null;
    return opened.body;
  }

  #begin(room: Id, user: Id): void {
    const people = this.#ends.get(room) ?? new Map<Id, () => void>();
    this.#ends.set(room, people);
    const known = people.get(user);
    known?.();
    people.set(
      user,
      this.#deps.clock.after(LASTS_MS, () => this.ended(room, user)),
    );
    if (known === undefined) this.#deps.changed();
  }

  /** Somebody stopped, or their message came. */
  ended(room: Id, user: Id): void {
    const people = this.#ends.get(room);
    const end = people?.get(user);
    if (people === undefined || end === undefined) return;
    end();
    people.delete(user);
    this.#deps.changed();
  }

  /** One writes in a room, or stopped. */
  async mine(room: Id, on: boolean): Promise<void> {
    const { clock, random, sealing, writer, tell, isSealed } = this.#deps;
    const now = clock.now();
    const known = this.#told?.room === room && now - this.#told.at < LASTS_MS;
    if (on ? known && now - (this.#told?.at ?? 0) < AGAIN_MS : !known) return;
    const sealed = isSealed(room);
    if (sealed === null) return;
    this.#told = on ? { room, at: now } : null;
    const body = typingJson(on);
    const id = newId(now, random(10));
    const wire = {
      room,
      id,
      writer: writer(),
      seq: 0,
      kind: 3,
      target: null,
      notify: [],
      body,
    } as const;
    tell(room, sealed ? await sealing.seal(wire) : body);
  }

  stop(): void {
    for (const people of this.#ends.values()) for (const end of people.values()) end();
    this.#ends.clear();
  }
}
