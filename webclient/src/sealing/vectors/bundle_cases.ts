// The cases of bundles and chains: two members, an invite, a join by proof, devices; and forgeries.
import { concat, hex } from '../../protocol/bytes';
import { newCode, type Id } from '../../protocol/ids';
import { recipientOf, type Recipient } from '../agefile';
import { announcement, makeBundle, parseBundle } from '../bundle';
import { doorIdentity } from '../door';
import { epochKeys, sealBack, ZERO_HASH, type Header, type Invited } from '../epoch';
import { inviteKeys, makeJoin } from '../invite';
import { bad, good, type Case } from './cases';
import * as p from './people';

const listed = (someone: p.Someone) => [someone.user, someone.parsed.fingerprint] as const;
const secretOf = (epoch: number): Uint8Array => p.bytesOf(`secret ${epoch}`);
const keysOf = (epoch: number) => epochKeys(p.ROOM, secretOf(epoch));

const invite = inviteKeys(p.bytesOf('invite'));
const code = newCode(p.bytesOf('code'));
const standing: Invited = {
  code,
  by: p.ADA,
  signPublic: invite.signPublic,
  recipient: invite.recipient,
  expires: p.NOW + 1_000_000,
  uses: 2,
};

const first: Header = {
  room: p.ROOM,
  epoch: 1,
  kid: keysOf(1).kid,
  prev: ZERO_HASH,
  rules: { type: 'private', history: 'all', hints: false },
  members: [listed(p.ada)],
  joins: [],
  doors: [],
  invites: [],
  back: null,
  by: p.ADA,
  at: p.NOW,
  reason: 'created',
};

/** The header after a bundle, changed as told. */
function after(previous: Uint8Array, change: Partial<Header>): Header {
  const { header, headerHash } = parseBundle(previous);
  const epoch = header.epoch + 1;
  return {
    ...header,
    epoch,
    kid: keysOf(epoch).kid,
    prev: headerHash,
    joins: [],
    back: sealBack(keysOf(epoch), epoch, secretOf(epoch - 1), p.drawnBytes),
    at: header.at + 1,
    ...change,
  };
}

const everybody = [p.ada, p.ben, p.cleo, p.mallory];

function bundle(
  header: Header,
  by: p.Someone = p.ada,
  more: Recipient[] = [],
): Promise<Uint8Array> {
  const to = header.members.map(([user]) => {
    const found = everybody.find((one) => one.user === user);
    if (found === undefined) throw new Error('nobody');
    return found.identity.recipient;
  });
  const all = [...to, ...header.invites.map((one) => one.recipient), ...more];
  return makeBundle(header, keysOf(header.epoch), all, by.identity.seed);
}

const proofOf = (someone: p.Someone) => ({
  user: someone.user,
  code,
  proof: makeJoin(invite.seed, code, p.ROOM, someone.user, someone.parsed.fingerprint),
});

export async function bundleCases(): Promise<Case[]> {
  const one = await bundle(first);
  const two = await bundle(after(one, { invites: [standing], reason: 'invite' }));
  const washer = [p.WASHER, recipientOf(doorIdentity(secretOf(4), p.ROOM, p.WASHER)), 4] as const;
  const joined: Partial<Header> = {
    members: [listed(p.ada), listed(p.ben)],
    joins: [proofOf(p.ben)],
    invites: [{ ...standing, uses: 1 }],
    by: p.BEN,
    reason: 'joined',
  };
  const three = await bundle(after(two, joined), p.ben);
  const four = await bundle(after(three, { doors: [washer], by: p.ADA, reason: 'device' }));
  const vouched = await bundle(after(two, { ...joined, by: p.ADA, reason: 'added' }));
  const next = (
    previous: Uint8Array,
    following: Uint8Array,
    signer: p.Someone,
    before: Id[] = [],
  ) => ({
    previous: hex(previous),
    next: hex(following),
    signer: hex(signer.card),
    listed_before: before,
  });
  const opening = (identity: string, of: Uint8Array) => ({ bundle: hex(of), identity });
  const verifying = { bundle: hex(one), signer: hex(p.ada.card) };
  const topic = hex(announcement(parseBundle(four)));
  const forged = async (name: string, change: Partial<Header>, by = p.ben): Promise<Case> => {
    const made = await bundle(after(two, { ...joined, ...change }), by);
    return bad(name, 'bundle_next', next(two, made, by));
  };
  const back = parseBundle(two).header.back ?? new Uint8Array(0);
  const backing = { secret: hex(secretOf(2)), room: p.ROOM, epoch: 2, back: hex(back) };
  return Promise.all([
    good('the keys of a secret', 'epoch_keys', { secret: hex(secretOf(1)), room: p.ROOM }),
    good('one epoch back', 'back_open', backing),
    bad('back from another epoch', 'back_open', { ...backing, epoch: 3 }),
    bad('back in another room', 'back_open', { ...backing, room: p.OTHER_ROOM }),
    bad('back with another secret', 'back_open', { ...backing, secret: hex(secretOf(3)) }),
    good('epoch 1', 'bundle_verify', verifying),
    good('epoch 1 is its creator’s word', 'bundle_first', verifying),
    bad('another person’s card', 'bundle_verify', { ...verifying, signer: hex(p.ben.card) }),
    bad('a turned header', 'bundle_verify', { ...verifying, bundle: hex(p.turned(one, 60)) }),
    bad('a turned age file', 'bundle_verify', { ...verifying, bundle: hex(p.turned(one, -70)) }),
    bad('a turned signature', 'bundle_verify', { ...verifying, bundle: hex(p.turned(one, -1)) }),
    bad('bytes after the end', 'bundle_verify', {
      ...verifying,
      bundle: hex(concat(one, new Uint8Array(1))),
    }),
    bad('epoch 2 is not a first', 'bundle_first', { ...verifying, bundle: hex(two) }),
    good('ada opens epoch 1', 'bundle_open', opening(p.ada.identity.age, one)),
    good('the invite opens epoch 2', 'bundle_open', opening(invite.identity, two)),
    good('ben opens epoch 3', 'bundle_open', opening(p.ben.identity.age, three)),
    bad('ben does not open epoch 1', 'bundle_open', opening(p.ben.identity.age, one)),
    bad('the invite does not open epoch 1', 'bundle_open', opening(invite.identity, one)),
    bad('mallory opens nothing', 'bundle_open', opening(p.mallory.identity.age, three)),
    good('a listed member makes the next', 'bundle_next', next(one, two, p.ada)),
    good('a newcomer joins by his proof', 'bundle_next', next(two, three, p.ben)),
    good('a member lists him by his proof', 'bundle_next', next(two, vouched, p.ada)),
    good('a device', 'bundle_next', next(three, four, p.ada)),
    bad('an epoch left out', 'bundle_next', next(one, three, p.ben)),
    bad('the same epoch again', 'bundle_next', next(two, two, p.ada)),
    bad('another signer’s card', 'bundle_next', next(one, two, p.ben)),
    bad('he was listed before and comes back', 'bundle_next', next(two, three, p.ben, [p.BEN])),
    forged('a proof for somebody else', { joins: [proofOf(p.cleo)] }),
    forged('a newcomer without a proof', { joins: [], invites: [standing] }),
    forged('a newcomer who does not count his use', { invites: [standing] }),
    forged('a newcomer who brings a ghost', {
      members: [listed(p.ada), listed(p.ben), listed(p.mallory)],
    }),
    forged('a newcomer who drops a member', { members: [listed(p.ben)] }),
    forged('a newcomer who changes the rules', {
      rules: { type: 'public', history: 'all', hints: false },
    }),
    forged('a newcomer who adds a device', {
      doors: [[p.WASHER, recipientOf(doorIdentity(secretOf(3), p.ROOM, p.WASHER)), 3]],
    }),
    forged('a newcomer who ends an invite', { invites: [] }),
    forged('a proof after its invite’s end', { at: standing.expires + 1 }),
    forged('a changed member’s key', {
      members: [[p.ADA, p.mallory.parsed.fingerprint], listed(p.ben)],
    }),
    forged(
      'a stranger with another’s proof',
      { members: [listed(p.ada), listed(p.mallory)], by: p.MALLORY },
      p.mallory,
    ),
    bad('a member replaces an invite’s key', 'bundle_next', {
      ...next(
        two,
        await bundle(
          after(two, { invites: [{ ...standing, recipient: p.mallory.identity.recipient }] }),
        ),
        p.ada,
      ),
    }),
    bad('another predecessor', 'bundle_next', {
      ...next(two, await bundle(after(two, { prev: ZERO_HASH })), p.ada),
    }),
    bad('another room', 'bundle_next', {
      ...next(two, await otherRoom(), p.ada),
    }),
    good('what stands on the key topic', 'key_topic', { bundle: hex(four) }),
    good('the key topic verifies', 'key_topic_verify', { payload: topic, signer: hex(p.ada.card) }),
    bad('the key topic by another', 'key_topic_verify', {
      payload: topic,
      signer: hex(p.ben.card),
    }),
    bad('a turned key topic', 'key_topic_verify', {
      payload: hex(p.turned(announcement(parseBundle(four)), 60)),
      signer: hex(p.ada.card),
    }),
    bad('a whole bundle is no announcement', 'key_topic_verify', {
      payload: hex(four),
      signer: hex(p.ada.card),
    }),
  ]);

  async function otherRoom(): Promise<Uint8Array> {
    const keys = epochKeys(p.OTHER_ROOM, secretOf(3));
    const header = after(two, { room: p.OTHER_ROOM, kid: keys.kid });
    return makeBundle(header, keys, [p.ada.identity.recipient], p.ada.identity.seed);
  }
}
