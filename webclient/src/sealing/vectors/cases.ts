// The cases written to tests/vectors/ts-*.json: kdf, card, vault, event, door, invite, padding.
import { ED25519_TORSION_SUBGROUP, ed25519 } from '@noble/curves/ed25519.js';
import { concat, hex, utf8 } from '../../protocol/bytes';
import { newCode } from '../../protocol/ids';
import { identityFromScalar, recipientOf, sealFile } from '../agefile';
import { makeCard } from '../card';
import { doorIdentity } from '../door';
import { identityOf } from '../identity';
import { inviteKeys, makeJoin, sealBlob } from '../invite';
import { seal } from '../kdf';
import { stretch } from '../password';
import { sealRecovery, sealRoot, sealVault, type VaultData } from '../vault';
import { armor, Encrypter } from 'age-encryption';
import { operations } from './operations';
import * as p from './people';

export interface Case {
  readonly name: string;
  readonly op: string;
  readonly in: unknown;
  readonly out?: unknown;
  readonly error?: true;
}

export type Input = Record<string, unknown>;

async function run(op: string, input: Input): Promise<unknown> {
  const operation = operations[op];
  if (operation === undefined) throw new Error(`no operation ${op}`);
  return operation(input);
}

/** A case that gives what it gives. */
export async function good(name: string, op: string, input: Input): Promise<Case> {
  return { name, op, in: input, out: await run(op, input) };
}

/** A case that must refuse, and does. */
export async function bad(name: string, op: string, input: Input): Promise<Case> {
  const refused = await run(op, input).then(
    () => false,
    () => true,
  );
  if (!refused) throw new Error(`${op}: ${name} was taken`);
  return { name, op, in: input, error: true };
}

export async function kdfCases(): Promise<Case[]> {
  const key = hex(p.bytesOf('key'));
  const sealed = seal(p.bytesOf('key'), utf8('bread'), utf8('aad'), p.drawnBytes);
  const seed = p.bytesOf('seed');
  const signature = ed25519.sign(utf8('yes'), seed);
  const verify = {
    public: hex(ed25519.getPublicKey(seed)),
    message: hex(utf8('yes')),
    signature: hex(signature),
  };
  const s = BigInt(`0x${hex(signature.slice(32).reverse())}`) + ed25519.Point.Fn.ORDER;
  const beyond = Uint8Array.from(s.toString(16).padStart(64, '0').match(/../g) ?? [], (two) =>
    Number.parseInt(two, 16),
  ).reverse();
  const small = (ED25519_TORSION_SUBGROUP[1] ?? '').toString();
  const xchacha = { key, sealed: hex(sealed), aad: hex(utf8('aad')) };
  const sealing = {
    key,
    nonce: hex(p.bytesOf('n').slice(0, 24)),
    message: hex(utf8('bread')),
    aad: hex(utf8('aad')),
  };
  return Promise.all([
    good('a length before bytes', 'lp', { data: '010203' }),
    good('nothing has a length as well', 'lp', { data: '' }),
    good('a context of two parts', 'ctx', { tag: 'hearth/v1/test', parts: ['00', ''] }),
    good('a key with a salt', 'hkdf', { ikm: key, salt: '01', info: '02' }),
    good('a key without a salt', 'hkdf', { ikm: key, salt: '', info: hex(utf8('hearth/v1/x')) }),
    good('a message sealed', 'xchacha_seal', sealing),
    good('a message opened', 'xchacha_open', xchacha),
    bad('another aad', 'xchacha_open', { ...xchacha, aad: '' }),
    bad('another key', 'xchacha_open', { ...xchacha, key: hex(p.bytesOf('other')) }),
    bad('a turned bit', 'xchacha_open', { ...xchacha, sealed: hex(p.turned(sealed, -1)) }),
    bad('a turned nonce', 'xchacha_open', { ...xchacha, sealed: hex(p.turned(sealed, 0)) }),
    bad('cut off', 'xchacha_open', { ...xchacha, sealed: hex(sealed.slice(0, 39)) }),
    good('a signature', 'ed25519_verify', verify),
    bad('another message', 'ed25519_verify', { ...verify, message: '' }),
    bad('a turned R', 'ed25519_verify', { ...verify, signature: hex(p.turned(signature, 3)) }),
    bad('a turned S', 'ed25519_verify', { ...verify, signature: hex(p.turned(signature, 40)) }),
    bad('an S beyond the order', 'ed25519_verify', {
      ...verify,
      signature: hex(concat(signature.slice(0, 32), beyond)),
    }),
    bad('a key of small order', 'ed25519_verify', { ...verify, public: small }),
    bad('the neutral key signs anything', 'ed25519_verify', {
      public: `01${'00'.repeat(31)}`,
      message: '',
      signature: `01${'00'.repeat(63)}`,
    }),
    bad('an R of small order', 'ed25519_verify', {
      ...verify,
      signature: hex(concat(Uint8Array.of(1), new Uint8Array(63))),
    }),
    bad('a key that is not canonical', 'ed25519_verify', {
      ...verify,
      public: `ee${'ff'.repeat(30)}7f`,
    }),
    bad('a signature cut off', 'ed25519_verify', { ...verify, signature: hex(signature.slice(1)) }),
  ]);
}

export async function cardCases(): Promise<Case[]> {
  const { ada, ben } = p;
  const next = identityOf(p.bytesOf('next root of ada'));
  const following = makeCard(next, p.ADA, p.NOW + 1, { card: ada.parsed, identity: ada.identity });
  const unsigned = following.slice(0, -64);
  const lone = makeCard(next, p.ADA, p.NOW + 1);
  const elsewhere = makeCard(next, p.BEN, p.NOW + 1, { card: ada.parsed, identity: ada.identity });
  const follow = { card: hex(following), previous: hex(ada.card) };
  const print = { a: hex(ada.parsed.fingerprint), b: hex(ben.parsed.fingerprint) };
  return Promise.all([
    good('the keys of a root', 'identity', { root: hex(ada.identity.root) }),
    bad('a root that is too short', 'identity', { root: '00' }),
    good('a first card', 'card_verify', { card: hex(ada.card), previous: null }),
    good('a card that follows, signed by both keys', 'card_verify', follow),
    good('a card that follows, signed by the new key only', 'card_verify', {
      ...follow,
      card: hex(unsigned),
    }),
    good('a second signature that cannot be checked', 'card_verify', { ...follow, previous: null }),
    bad('a turned bit in the JSON', 'card_verify', {
      card: hex(p.turned(ada.card, 30)),
      previous: null,
    }),
    bad('a turned signature', 'card_verify', { card: hex(p.turned(ada.card, -1)), previous: null }),
    bad('a turned previous signature', 'card_verify', {
      ...follow,
      card: hex(p.turned(following, -1)),
    }),
    bad('bytes after the end', 'card_verify', {
      card: hex(concat(ada.card, new Uint8Array(1))),
      previous: null,
    }),
    bad('a card that does not name the one before', 'card_verify', { ...follow, card: hex(lone) }),
    bad('a card after another person’s', 'card_verify', { ...follow, card: hex(elsewhere) }),
    bad('a card after itself', 'card_verify', { ...follow, card: hex(ada.card) }),
    good('a safety number', 'safety_number', print),
    good('is the same the other way round', 'safety_number', { a: print.b, b: print.a }),
    bad('of what is no fingerprint', 'safety_number', { ...print, a: '00' }),
    bad('a fingerprint of a weak key', 'fingerprint', {
      user: p.ADA,
      ed25519: `01${'00'.repeat(31)}`,
      age_public: hex(p.bytesOf('x')),
    }),
    bad('a fingerprint with an age key of small order', 'fingerprint', {
      user: p.ADA,
      ed25519: hex(ada.identity.ed25519),
      age_public: '00'.repeat(32),
    }),
  ]);
}

export async function vaultCases(): Promise<Case[]> {
  const salt = p.bytesOf('salt').slice(0, 16);
  const low = { memory_kib: 19_456, passes: 2, lanes: 1 };
  const keys = await stretch('correct horse', salt, { memoryKib: 19_456, passes: 2, lanes: 1 });
  const sheet = identityFromScalar(p.bytesOf('recovery sheet of ada'));
  const data: VaultData = {
    recovery: { recipient: recipientOf(sheet), at: p.NOW },
    pins: new Map([
      [p.BEN, { fingerprint: p.ben.parsed.fingerprint, state: 'vouched', at: p.NOW, by: p.CLEO }],
      [p.CLEO, { fingerprint: p.cleo.parsed.fingerprint, state: 'verified', at: p.NOW, by: null }],
    ]),
    heads: new Map([[p.ROOM, [3, p.bytesOf('header')]]]),
  };
  const { root } = p.ada.identity;
  const sealedRoot = sealRoot(keys.vaultKey, root, p.ADA, p.drawnBytes);
  const vault = sealVault(sealedRoot, root, p.ADA, 7, data, p.drawnBytes);
  const opening = { vault: hex(vault), user: p.ADA, version: 7, vault_key: hex(keys.vaultKey) };
  const byRoot = { vault: hex(vault), user: p.ADA, version: 7, root: hex(root) };
  const file = await sealRecovery(data, root, p.ADA);
  const recovering = { file: hex(file), identity: sheet, user: p.ADA };
  const password = { password: 'correct horse', salt: hex(salt), cost: low };
  const scrypt = new Encrypter();
  scrypt.setPassphrase('x');
  scrypt.setScryptWorkFactor(2);
  return Promise.all([
    good('the lowest cost taken', 'password', password),
    good('two spellings of one text', 'password', { ...password, password: 'Cafe\u0301 ﬁ' }),
    ...[
      { ...low, memory_kib: 19_455 },
      { ...low, memory_kib: 262_145 },
      { ...low, passes: 1 },
      { ...low, passes: 11 },
      { ...low, lanes: 5 },
      { ...low, lanes: 0 },
    ].map((cost) =>
      bad(`a cost of ${Object.values(cost).join()}`, 'password', { ...password, cost }),
    ),
    bad('a short salt', 'password', { ...password, salt: '00' }),
    good('a vault', 'vault_open', opening),
    good('a vault by root', 'vault_open_data', byRoot),
    bad('an older version passed off as newer', 'vault_open', { ...opening, version: 8 }),
    bad('another person’s', 'vault_open', { ...opening, user: p.BEN }),
    bad('another password’s key', 'vault_open', { ...opening, vault_key: hex(root) }),
    bad('another format', 'vault_open', { ...opening, vault: hex(p.turned(vault, 0)) }),
    bad('a turned root', 'vault_open', { ...opening, vault: hex(p.turned(vault, 40)) }),
    bad('turned data', 'vault_open', { ...opening, vault: hex(p.turned(vault, -1)) }),
    bad('another root', 'vault_open_data', { ...byRoot, root: hex(p.ben.identity.root) }),
    good('a recovery file', 'recovery_open', recovering),
    bad('another sheet', 'recovery_open', { ...recovering, identity: p.ben.identity.age }),
    bad('another person’s file', 'recovery_open', { ...recovering, user: p.BEN }),
    bad('a file for a passphrase', 'recovery_open', {
      ...recovering,
      file: hex(await scrypt.encrypt('x')),
    }),
  ]);
}

export async function eventCases(): Promise<Case[]> {
  const secret = hex(p.bytesOf('secret'));
  const base = {
    secret,
    room: p.ROOM,
    epoch: 3,
    id: p.EVENT,
    sender: p.ADA,
    writer: 7,
    kind: 1,
    seq: 12,
    target: null,
    notify: [],
    seed: hex(p.ada.identity.seed),
    nonce: hex(p.bytesOf('nonce').slice(0, 24)),
    body: hex(utf8('{"type":"message","content":"dinner at seven"}')),
  };
  const made = await Promise.all([
    good('a message', 'event_seal', base),
    good('a long message', 'event_seal', { ...base, body: hex(new Uint8Array(1_000).fill(0x61)) }),
    good('a tombstone', 'event_seal', { ...base, kind: 2, target: p.OTHER_EVENT }),
    good('a live event', 'event_seal', { ...base, kind: 3, seq: 0 }),
    good('a message with hints', 'event_seal', { ...base, kind: 4, notify: [p.BEN, p.CLEO] }),
  ]);
  const wires = made.map((one) => (one.out as { wire: string }).wire);
  const opening = { secret, room: p.ROOM, ed25519: hex(p.ada.identity.ed25519) };
  const opened = wires.flatMap((wire, at) => [
    good(`the header of wire ${at}`, 'event_header', { wire }),
    good(`wire ${at}`, 'event_open', { ...opening, wire }),
  ]);
  const first = Uint8Array.from(wires[0]?.match(/../g) ?? [], (two) => Number.parseInt(two, 16));
  const places: [string, number][] = [
    ['the version', 0],
    ['the epoch', 4],
    ['the id', 20],
    ['the sender', 36],
    ['the writer', 40],
    ['the kind', 41],
    ['the seq', 49],
    ['the nonce', 50],
    ['the signature', 80],
    ['the body', 150],
    ['the tag', -1],
  ];
  const altered = places.map(([what, at]) =>
    bad(`${what} altered`, 'event_open', { ...opening, wire: hex(p.turned(first, at)) }),
  );
  const wire = wires[0] ?? '';
  return [
    ...made,
    ...(await Promise.all([
      ...opened,
      ...altered,
      bad('another room', 'event_open', { ...opening, wire, room: p.OTHER_ROOM }),
      bad('another secret', 'event_open', { ...opening, wire, secret: hex(p.bytesOf('other')) }),
      bad('another signer', 'event_open', {
        ...opening,
        wire,
        ed25519: hex(p.ben.identity.ed25519),
      }),
      bad('cut off', 'event_open', { ...opening, wire: wire.slice(0, -2) }),
      bad('nothing after the header', 'event_header', { wire: wire.slice(0, 100) }),
      bad('no bytes', 'event_header', { wire: '' }),
      bad('kind 5', 'event_header', { wire: hex(withByte(first, 41, 5)) }),
      bad('kind 0', 'event_header', { wire: hex(withByte(first, 41, 0)) }),
      bad('a counted live event', 'event_seal', { ...base, kind: 3 }),
      bad('a message that is not counted', 'event_seal', { ...base, seq: 0 }),
      bad('a tombstone without a target', 'event_seal', { ...base, kind: 2 }),
      bad('a message with a target', 'event_seal', { ...base, target: p.OTHER_EVENT }),
      bad('hints for nobody', 'event_seal', { ...base, kind: 4 }),
      bad('epoch 0', 'event_seal', { ...base, epoch: 0 }),
      bad('too long', 'event_seal', { ...base, body: hex(new Uint8Array(65_500)) }),
    ])),
  ];
}

const withByte = (bytes: Uint8Array, at: number, byte: number): Uint8Array =>
  concat(bytes.slice(0, at), Uint8Array.of(byte), bytes.slice(at + 1));

export async function doorCases(): Promise<Case[]> {
  const secret = p.bytesOf('secret');
  const identity = doorIdentity(secret, p.ROOM, p.WASHER);
  const post = await sealFile([recipientOf(identity)], utf8('Washing done\n'));
  const armored = utf8(armor.encode(post));
  const opening = { post: hex(post), identity };
  return Promise.all([
    good('a door', 'door_identity', { secret: hex(secret), room: p.ROOM, device: p.WASHER }),
    good('a raw post', 'door_open', opening),
    good('an armored post', 'door_open', { ...opening, post: hex(armored) }),
    good('an armored post after a line break', 'door_open', {
      ...opening,
      post: hex(concat(utf8('\n'), armored)),
    }),
    bad('another device’s door', 'door_open', {
      ...opening,
      identity: doorIdentity(secret, p.ROOM, p.DRYER),
    }),
    bad('another room’s door', 'door_open', {
      ...opening,
      identity: doorIdentity(secret, p.OTHER_ROOM, p.WASHER),
    }),
    bad('a turned bit', 'door_open', { ...opening, post: hex(p.turned(post, -1)) }),
    bad('cut off', 'door_open', { ...opening, post: hex(post.slice(0, -1)) }),
    bad('an armor cut off', 'door_open', { ...opening, post: hex(armored.slice(0, -40)) }),
    bad('plain text', 'door_open', { ...opening, post: hex(utf8('Washing done')) }),
    bad('nothing', 'door_open', { ...opening, post: '' }),
  ]);
}

export async function inviteCases(): Promise<Case[]> {
  const k = p.bytesOf('invite');
  const keys = inviteKeys(k);
  const code = newCode(p.bytesOf('code'));
  const blob = sealBlob(
    {
      rooms: [{ room: p.ROOM, epoch: 2, headerHash: p.bytesOf('header') }],
      by: p.ADA,
      byFingerprint: p.ada.parsed.fingerprint,
      caFingerprint: null,
      expires: p.NOW + 1_000,
      uses: 5,
    },
    code,
    keys.wrap,
    p.drawnBytes,
  );
  const opening = { blob: hex(blob), code, k: hex(k) };
  const print = p.ben.parsed.fingerprint;
  const proof = makeJoin(keys.seed, code, p.ROOM, p.BEN, print);
  const joining = { code, room: p.ROOM, user: p.BEN, fingerprint: hex(print) };
  const verifying = { ...joining, sign_public: hex(keys.signPublic), proof: hex(proof) };
  return Promise.all([
    good('the keys of a link', 'invite_keys', { k: hex(k) }),
    bad('a link cut off', 'invite_keys', { k: hex(k.slice(1)) }),
    good('a link', 'invite_link', { origin: 'https://hearth.local', code, k: hex(k) }),
    good('a blob', 'blob_open', opening),
    bad('another code', 'blob_open', { ...opening, code: newCode(p.bytesOf('other')) }),
    bad('another link', 'blob_open', { ...opening, k: hex(p.bytesOf('other')) }),
    bad('a turned bit', 'blob_open', { ...opening, blob: hex(p.turned(blob, 30)) }),
    bad('a code in lower case', 'blob_open', { ...opening, code: 'abcdefghjk' }),
    good('a proof', 'join_make', { ...joining, k: hex(k) }),
    good('a proof verifies', 'join_verify', verifying),
    bad('a proof for another person', 'join_verify', { ...verifying, user: p.MALLORY }),
    bad('a proof for another room', 'join_verify', { ...verifying, room: p.OTHER_ROOM }),
    bad('a proof of another card', 'join_verify', {
      ...verifying,
      fingerprint: hex(p.mallory.parsed.fingerprint),
    }),
    bad('a proof of another invite', 'join_verify', {
      ...verifying,
      code: newCode(p.bytesOf('other')),
    }),
    bad('a turned proof', 'join_verify', { ...verifying, proof: hex(p.turned(proof, 5)) }),
  ]);
}

export async function paddingCases(): Promise<Case[]> {
  const lengths = [0, 1, 255, 256, 257, 1_000, 1_024, 1_025, 10_000, 65_000];
  return Promise.all(lengths.map((length) => good(`${length} bytes`, 'pad', { length })));
}
