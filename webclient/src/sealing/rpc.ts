// What the sealing workers are asked, and what their errors were.
import type { Failure } from '../local/calls';
import { BytesError } from '../protocol/bytes';
import type { FileWork } from './file_work';
import { SealingError } from './kdf';
import type { Sealing } from './requests';

/** The methods of `Sealing`, checked by the compiler to be all of them. */
export const METHODS = Object.keys({
  wake: 1,
  keep: 1,
  forget: 1,
  stretch: 1,
  createIdentity: 1,
  openVault: 1,
  writeVault: 1,
  vaultChanged: 1,
  touchVault: 1,
  rewriteVault: 1,
  openRecovery: 1,
  pairBegin: 1,
  pairTyped: 1,
  pairAnswer: 1,
  pairMeet: 1,
  pairGive: 1,
  pairTake: 1,
  pairEnter: 1,
  pairEnd: 1,
  pins: 1,
  comparison: 1,
  checked: 1,
  trust: 1,
  acceptKeys: 1,
  renewIdentity: 1,
  identityRenewed: 1,
  addCards: 1,
  missingCards: 1,
  takeBundles: 1,
  accepted: 1,
  keyView: 1,
  sealedRooms: 1,
  isNews: 1,
  foundRoom: 1,
  nextEpoch: 1,
  makeInvite: 1,
  takeInvite: 1,
  readInvite: 1,
  joinProofs: 1,
  seal: 1,
  open: 1,
  openPosts: 1,
  disclose: 1,
  readEvidence: 1,
} satisfies Record<keyof Sealing, 1>);

/** The methods of `FileWork`, checked in the same way. */
export const FILE_METHODS = Object.keys({
  seal: 1,
  open: 1,
  picture: 1,
} satisfies Record<keyof FileWork, 1>);

/** The error that an answer tells of. */
export function errorOf({ name, message }: Failure): Error {
  if (name === 'BytesError') return new BytesError(message);
  return new SealingError(message);
}
