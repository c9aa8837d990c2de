// The frame of a sealed room's event: position u64 ‖ received_at u64 ‖ class u8 ‖ bytes.
import { BytesError, concat, Reader, u64 } from './bytes';
import { idFromBytes, type Id } from './ids';

export type Class = 'event' | 'door' | 'line';

const CLASSES: readonly Class[] = ['event', 'door', 'line'];

export interface Frame {
  readonly position: number;
  /** The box's clock, ms since 1970. */
  readonly receivedAt: number;
  readonly class: Class;
  readonly bytes: Uint8Array;
}

/** The class of a frame's byte, 1 to 3. */
export function classOf(byte: number): Class {
  const found = CLASSES[byte - 1];
  if (found === undefined) throw new BytesError(`a frame of class ${byte} is not known`);
  return found;
}

export function decodeFrame(bytes: Uint8Array): Frame {
  const reader = new Reader('a frame', bytes);
  return {
    position: reader.u64(),
    receivedAt: reader.u64(),
    class: classOf(reader.u8()),
    bytes: reader.rest(),
  };
}

export function encodeFrame(frame: Frame): Uint8Array {
  const byte = Uint8Array.of(CLASSES.indexOf(frame.class) + 1);
  return concat(u64(frame.position), u64(frame.receivedAt), byte, frame.bytes);
}

/** The bytes of a door post: device16 ‖ id16 ‖ age file. */
export interface DoorPost {
  readonly device: Id;
  readonly id: Id;
  readonly file: Uint8Array;
}

export function decodeDoorPost(bytes: Uint8Array): DoorPost {
  const reader = new Reader('a door post', bytes);
  return {
    device: idFromBytes(reader.take(16)),
    id: idFromBytes(reader.take(16)),
    file: reader.rest(),
  };
}
