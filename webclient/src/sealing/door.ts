// A device's door: every member derives its identity, the device knows the recipient (sealing.md §5).
import { idBytes, type Id } from '../protocol/ids';
import { identityFromScalar, openFile, recipientOf, type AgeIdentity } from './agefile';
import type { Door, EpochKeys } from './epoch';
import { ctx, hkdf } from './kdf';

/** Bytes of a post at most. */
const PLAINTEXT_MAX = 65_536;
/** Bytes of a post's header at most: the door and a few more to whom it is sealed (decision 0061). */
export const HEADER_MAX = 1_024;

/** A door's identity under the secret of the epoch that made it. */
export function doorIdentity(secret: Uint8Array, room: Id, device: Id): AgeIdentity {
  return identityFromScalar(hkdf(secret, idBytes(room), ctx('hearth/v1/door', idBytes(device))));
}

/** Whether a door is another than the secret of its epoch gives: what comes by it, no member opens. */
export const isFalseDoor = ([device, recipient]: Door, { secret, room }: EpochKeys): boolean =>
  recipientOf(doorIdentity(secret, room, device)) !== recipient;

/** The plaintext of a post: a raw or armored age file. */
export const openDoor = (identity: AgeIdentity, post: Uint8Array): Promise<Uint8Array> =>
  openFile('a device’s post', identity, post, PLAINTEXT_MAX, HEADER_MAX);
