// What happens in rooms right now and is no history: who writes, who has read how far.
import { BytesError } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import { SchemaError } from '../protocol/schema';
import * as topic from '../protocol/topic';
import type { Connection } from '../session/connection';
import type { Parts } from './deps';
import { Receipts } from './receipts';
import type { RoomHandle } from './room';
import { TypingState } from './typing';

export interface LiveDeps {
  readonly parts: Parts;
  readonly me: Id;
  readonly writer: () => number;
  readonly connection: () => Connection;
  readonly handle: (room: Id) => RoomHandle | null;
  /** Null: the room is not here, or nothing can be sealed for it now. */
  readonly isSealed: (room: Id) => boolean | null;
  readonly changed: () => void;
  readonly failed: (error: unknown) => void;
}

export class Live {
  readonly receipts: Receipts;
  readonly typing: TypingState;
  readonly #deps: LiveDeps;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
    const { parts, me, connection } = deps;
    this.receipts = new Receipts({
      clock: parts.clock,
      isOnline: () => connection().state.kind === 'online',
      publish: (room, payload) => connection().publish(topic.read(room, me), payload),
    });
    this.typing = new TypingState({
      ...deps,
      clock: parts.clock,
      sealing: parts.sealing,
      random: parts.random,
      tell: (room, payload) => connection().tell(topic.live(room, me), payload),
    });
  }

  heard(heard: Extract<topic.Heard, { kind: 'live' | 'receipts' }>, payload: Uint8Array): void {
    const { failed, me } = this.#deps;
    if (heard.kind === 'receipts') this.#receipts(heard.room, payload);
    else if (heard.user !== me) {
      this.typing.heard(heard.room, heard.user, payload).catch(failed);
    }
  }

  #receipts(room: Id, payload: Uint8Array): void {
    const { handle, me, changed, failed } = this.#deps;
    try {
      this.receipts.heard(room, payload);
    } catch (error) {
      // Ticks are no reason to disturb anybody.
      if (!(error instanceof BytesError) && !(error instanceof SchemaError)) throw error;
      return;
    }
    // What was read in another browser is read here.
    const read = this.receipts.of(room, me)?.read ?? 0;
    handle(room)?.log.markRead(read).then(changed, failed);
  }

  stop(): void {
    this.receipts.stop();
    this.typing.stop();
  }
}
