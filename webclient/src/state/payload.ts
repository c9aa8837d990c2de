// What of an outbox entry goes to the box: the event itself in open rooms, its wire in sealed ones.
import type { Entry } from '../local/outbox';
import type { KeyView, Sealing } from '../sealing/requests';
import { openBody } from '../session/uploads';
import { marksOf } from './hints';
import { ProblemError } from './problem';
import type { RoomHandle } from './room';

export interface PayloadDeps {
  readonly sealing: Sealing;
  readonly handle: RoomHandle | null;
  /** Null: the room is not here, or its key is not. */
  readonly sealed: boolean | null;
  readonly keys: KeyView | null;
  readonly writer: number;
}

/** Null: not now, for want of the room or its key. */
export async function payloadOf(
  entry: Entry,
  seq: number,
  { sealing, handle, sealed, keys, writer }: PayloadDeps,
): Promise<Uint8Array | null> {
  if (handle === null) return null;
  if (handle.room.sealing === 'open') {
    if (!entry.sealed) return openBody(entry);
    throw new ProblemError(
      'was_sealed',
      'this was written into a sealed room, and the box now says the room is open',
      'ask whoever runs the box; nothing was sent',
    );
  }
  if (sealed === null) return null;
  const { id, room, body } = entry;
  return sealing.seal({ room, id, writer, seq, body, ...marksOf(entry, keys) });
}
