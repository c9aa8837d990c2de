// An invite: its key and code, the next epoch of each of its rooms, the blob for whoever opens its link.
import { b64u } from '../protocol/bytes';
import { newCode, type Id } from '../protocol/ids';
import type { Account } from './account';
import { parseBundle } from './bundle';
import { inviteKeys, sealBlob } from './invite';
import { sha256, type Random } from './kdf';
import { makeNext, type Ground } from './next_epoch';
import type { InviteRequest, MadeInvite } from './requests';

/** `ground`: where a room stands. */
export async function makeInvite(
  { rooms: wanted, by, expires, uses }: InviteRequest,
  ground: (room: Id) => Ground,
  me: Account,
  random: Random,
): Promise<MadeInvite> {
  const k = random(32);
  const keys = inviteKeys(k);
  const code = newCode(random(10));
  const { signPublic, recipient } = keys;
  const invited = { code, by, signPublic, recipient, expires, uses };
  const bundles = [];
  for (const next of wanted) {
    const { bundle } = await makeNext(next, ground(next.room), invited);
    bundles.push({ room: next.room, bundle });
  }
  const rooms = bundles.map(({ room, bundle }) => {
    const { header, headerHash } = parseBundle(bundle);
    return { room, epoch: header.epoch, headerHash };
  });
  const byFingerprint = me.fingerprint;
  const blob = { rooms, by, byFingerprint, caFingerprint: null, expires, uses };
  const sealed = sealBlob(blob, code, keys.wrap, random);
  return { code, authHash: sha256(keys.auth), blob: sealed, fragment: b64u(k), bundles };
}
