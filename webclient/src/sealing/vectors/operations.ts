// The operations of tests/vectors/README.md: each takes `in` and gives `out`, or throws.
import { hex, utf8 } from '../../protocol/bytes';
import { cost } from '../../protocol/cost';
import type { Id } from '../../protocol/ids';
import * as s from '../../protocol/schema';
import { openAttachment } from '../attachment';
import { ageIdentity, recipientBytes, recipientFromBytes } from '../agefile';
import {
  announcement,
  openBundle,
  parseAnnouncement,
  parseBundle,
  verifyAnnouncement,
  verifyBundle,
} from '../bundle';
import { verifyCard, verifyFollowingCard, type Card } from '../card';
import { checkFirst, checkNext } from '../chain';
import { doorIdentity, openDoor } from '../door';
import { epochKeys, openBack } from '../epoch';
import { openEvent, parseWire, sealEvent, type Kind, type WireHeader } from '../event';
import { fingerprint, identityOf, safetyNumber } from '../identity';
import { inviteKeys, inviteLink, makeJoin, openBlob, verifyJoin } from '../invite';
import { ctx, hkdf, lp, open, seal, sha256 } from '../kdf';
import { paddedLength } from '../padding';
import { stretch } from '../password';
import { demand, publicKey, verifyNoble, verifyWebCrypto } from '../sign';
import { openRecovery, openVault, openVaultData, type VaultData } from '../vault';
import { recipientOf } from '../agefile';
import { bytes, op, type Operation, type Out } from './operation';
import { orderOperations } from './order_operations';
import { pairingOperations } from './pairing_operations';

const cardOut = (card: Card): Out => ({
  user: card.user,
  age: card.age,
  ed25519: hex(card.ed25519),
  created: card.created,
  prev_card_hash: card.prevCardHash === null ? null : hex(card.prevCardHash),
  fingerprint: hex(card.fingerprint),
});

const dataOut = ({ recovery, pins, heads }: VaultData): Out => ({
  recovery: { recipient: recovery.recipient, at: recovery.at },
  pins: Object.fromEntries(
    [...pins].map(([user, pin]) => [
      user,
      { fingerprint: hex(pin.fingerprint), state: pin.state, at: pin.at, by: pin.by },
    ]),
  ),
  heads: Object.fromEntries([...heads].map(([room, [epoch, hash]]) => [room, [epoch, hex(hash)]])),
});

const headerOut = (header: WireHeader): Out => ({ ...header });

const fixed =
  (nonce: Uint8Array): ((length: number) => Uint8Array) =>
  () =>
    nonce;

/** Everything that a nonce or an age file does not make random. */
export const operations: Readonly<Record<string, Operation>> = {
  lp: op({ data: bytes }, ({ data }) => ({ bytes: hex(lp(data)) })),
  ctx: op({ tag: s.text, parts: s.list(bytes) }, ({ tag, parts }) => ({
    bytes: hex(ctx(tag, ...parts)),
  })),
  hkdf: op({ ikm: bytes, salt: bytes, info: bytes }, ({ ikm, salt, info }) => ({
    key: hex(hkdf(ikm, salt, info)),
  })),
  xchacha_seal: op(
    { key: bytes, nonce: bytes, message: bytes, aad: bytes },
    ({ key, nonce, message, aad }) => ({ sealed: hex(seal(key, message, aad, fixed(nonce))) }),
  ),
  xchacha_open: op({ key: bytes, sealed: bytes, aad: bytes }, ({ key, sealed, aad }) => ({
    message: hex(open('it', key, sealed, aad)),
  })),
  ed25519_verify: op(
    { public: bytes, message: bytes, signature: bytes },
    async ({ public: raw, message, signature }) => {
      const key = publicKey(raw);
      const native = await verifyWebCrypto(key, message, signature);
      if (native !== null && native !== verifyNoble(key, message, signature)) {
        throw new Disagreement('noble and WebCrypto disagree about a signature');
      }
      await demand('it', key, message, signature);
      return {};
    },
  ),

  attachment_open: op(
    { identity: s.text, sha256: bytes, file: s.bytes() },
    async ({ identity, sha256: hash, file }) => {
      const given = new Blob([new Uint8Array(file)]);
      const plain = await openAttachment({ identity, sha256: hash }, given);
      const opened = new Uint8Array(await plain.arrayBuffer());
      return { size: opened.length, plaintext_sha256: hex(sha256(opened)) };
    },
  ),

  identity: op({ root: bytes }, ({ root }) => {
    const made = identityOf(root);
    return {
      age_identity: made.age,
      age_recipient: made.recipient,
      age_public: hex(recipientBytes(made.recipient)),
      ed25519: hex(made.ed25519),
    };
  }),
  card_verify: op({ card: bytes, previous: s.optional(bytes) }, async ({ card, previous }) => {
    if (previous === null) return { ...cardOut(await verifyCard(card)), signed_by_previous: false };
    const followed = await verifyFollowingCard(card, await verifyCard(previous));
    return { ...cardOut(followed.card), signed_by_previous: followed.signedByPrevious };
  }),
  fingerprint: op({ user: s.id, ed25519: bytes, age_public: bytes }, (input) => ({
    fingerprint: hex(
      fingerprint(input.user, publicKey(input.ed25519), recipientFromBytes(input.age_public)),
    ),
  })),
  safety_number: op({ a: bytes, b: bytes }, ({ a, b }) => ({ digits: safetyNumber(a, b) })),

  password: op({ password: s.text, salt: bytes, cost }, async (input) => {
    const made = await stretch(input.password, input.salt, input.cost);
    return {
      stretched: hex(made.stretched),
      auth_key: hex(made.authKey),
      verifier: hex(made.verifier),
      vault_key: hex(made.vaultKey),
    };
  }),
  vault_open: op({ vault: bytes, user: s.id, version: s.count, vault_key: bytes }, (input) => {
    const { root, data } = openVault(input.vault, input.user, input.version, input.vault_key);
    return { root: hex(root), data: dataOut(data) };
  }),
  vault_open_data: op({ vault: bytes, user: s.id, version: s.count, root: bytes }, (input) => ({
    data: dataOut(openVaultData(input.vault, input.user, input.version, input.root)),
  })),
  recovery_open: op({ file: bytes, identity: s.text, user: s.id }, async (input) => {
    const opened = await openRecovery(input.file, ageIdentity(input.identity), input.user);
    return { root: hex(opened.root), data: dataOut(opened.data) };
  }),

  epoch_keys: op({ secret: bytes, room: s.id }, ({ secret, room }) => {
    const { key, kid } = epochKeys(room, secret);
    return { key: hex(key), kid: hex(kid) };
  }),
  back_open: op({ secret: bytes, room: s.id, epoch: s.u32Number, back: bytes }, (input) => ({
    secret: hex(openBack(epochKeys(input.room, input.secret), input.epoch, input.back)),
  })),
  bundle_verify: op({ bundle: bytes, signer: bytes }, async (input) => {
    const bundle = parseBundle(input.bundle);
    const signer = await verifyCard(input.signer);
    if (signer.user !== bundle.header.by) throw new Error('the card is of another person');
    await verifyBundle(bundle, signer.ed25519);
    const { room, epoch, kid, prev, by } = bundle.header;
    return { room, epoch, kid: hex(kid), prev: hex(prev), by, header_hash: hex(bundle.headerHash) };
  }),
  bundle_open: op({ bundle: bytes, identity: s.text }, async ({ bundle, identity }) => ({
    secret: hex((await openBundle(parseBundle(bundle), ageIdentity(identity))).secret),
  })),
  bundle_first: op({ bundle: bytes, signer: bytes }, async ({ bundle, signer }) => {
    await checkFirst(parseBundle(bundle), await verifyCard(signer));
    return {};
  }),
  bundle_next: op(
    { previous: bytes, next: bytes, signer: bytes, listed_before: s.list(s.id) },
    async ({ previous, next, signer, listed_before }) => {
      const before = new Set<Id>(listed_before);
      const card = await verifyCard(signer);
      const { joined } = await checkNext(parseBundle(previous), parseBundle(next), card, before);
      return { joined };
    },
  ),
  key_topic: op({ bundle: bytes }, ({ bundle }) => ({
    payload: hex(announcement(parseBundle(bundle))),
  })),
  key_topic_verify: op({ payload: bytes, signer: bytes }, async ({ payload, signer }) => {
    const said = parseAnnouncement(payload);
    const card = await verifyCard(signer);
    if (card.user !== said.header.by) throw new Error('the card is of another person');
    await verifyAnnouncement(said, card.ed25519);
    const { room, epoch, doors } = said.header;
    return { room, epoch, header_hash: hex(said.headerHash), doors };
  }),

  event_header: op({ wire: bytes }, ({ wire }) => headerOut(parseWire(wire))),
  event_seal: op(
    {
      secret: bytes,
      room: s.id,
      epoch: s.u32Number,
      id: s.id,
      sender: s.id,
      writer: s.u32Number,
      kind: (value, path): Kind => kind(s.u32Number(value, path)),
      seq: s.count,
      target: s.optional(s.id),
      notify: s.list(s.id),
      seed: bytes,
      nonce: bytes,
      body: bytes,
    },
    ({ secret, room, seed, nonce, body, ...header }) => ({
      wire: hex(sealEvent(epochKeys(room, secret), header, seed, body, fixed(nonce))),
    }),
  ),
  event_open: op({ wire: bytes, secret: bytes, room: s.id, ed25519: bytes }, async (input) => {
    const keys = epochKeys(input.room, input.secret);
    const { header, body } = await openEvent(keys, input.wire, publicKey(input.ed25519));
    return { ...headerOut(header), body: hex(body) };
  }),

  door_identity: op({ secret: bytes, room: s.id, device: s.id }, ({ secret, room, device }) => {
    const identity = doorIdentity(secret, room, device);
    return { identity, recipient: recipientOf(identity) };
  }),
  door_open: op({ post: bytes, identity: s.text }, async ({ post, identity }) => ({
    plaintext: hex(await openDoor(ageIdentity(identity), post)),
  })),

  invite_keys: op({ k: bytes }, ({ k }) => {
    const keys = inviteKeys(k);
    return {
      auth: hex(keys.auth),
      auth_hash: hex(keys.authHash),
      wrap: hex(keys.wrap),
      sign_public: hex(keys.signPublic),
      identity: keys.identity,
      recipient: keys.recipient,
    };
  }),
  invite_link: op({ origin: s.text, code: s.code, k: bytes }, ({ origin, code, k }) => ({
    link: inviteLink(origin, code, k),
  })),
  blob_open: op({ blob: bytes, code: s.code, k: bytes }, ({ blob, code, k }) => {
    const opened = openBlob(blob, code, inviteKeys(k).wrap);
    return {
      rooms: opened.rooms.map(({ room, epoch, headerHash }) => ({
        room,
        epoch,
        header_hash: hex(headerHash),
      })),
      by: opened.by,
      by_fingerprint: hex(opened.byFingerprint),
      ca_fingerprint: opened.caFingerprint === null ? null : hex(opened.caFingerprint),
      expires: opened.expires,
      uses: opened.uses,
    };
  }),
  join_make: op(
    { k: bytes, code: s.code, room: s.id, user: s.id, fingerprint: bytes },
    (input) => ({
      proof: hex(
        makeJoin(inviteKeys(input.k).seed, input.code, input.room, input.user, input.fingerprint),
      ),
    }),
  ),
  join_verify: op(
    {
      sign_public: bytes,
      code: s.code,
      room: s.id,
      user: s.id,
      fingerprint: bytes,
      proof: bytes,
    },
    async ({ sign_public, code, room, user, fingerprint: print, proof }) => {
      await verifyJoin(publicKey(sign_public), code, room, user, print, proof);
      return {};
    },
  ),

  ...orderOperations,
  ...pairingOperations,

  pad: op({ length: s.count }, ({ length }) => ({ padded: paddedLength(length) })),
};

/** Two implementations that must agree do not: never counted as a refusal. */
export class Disagreement extends Error {
  override readonly name = 'Disagreement';
}

function kind(number: number): Kind {
  if (number === 1 || number === 2 || number === 3 || number === 4) return number;
  throw new Error('no such kind');
}

export const textBytes = (text: string): string => hex(utf8(text));
