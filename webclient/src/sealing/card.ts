// A card: who somebody says to be, signed by the key it names (sealing.md §1).
import { b64u, concat, equal, Reader, utf8 } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { recipient, type Recipient } from './agefile';
import { fingerprint, type Identity } from './identity';
import { ctx, lp, SealingError, sha256 } from './kdf';
import { demand, publicKey, sign, type PublicKey } from './sign';

/** What a card says. */
export interface Card {
  readonly user: Id;
  readonly age: Recipient;
  readonly ed25519: PublicKey;
  /** ms since 1970. */
  readonly created: number;
  readonly prevCardHash: Uint8Array | null;
  readonly fingerprint: Uint8Array;
  /** SHA-256 of the card's JSON bytes. */
  readonly hash: Uint8Array;
}

const fields = s.object({
  user: s.id,
  age: s.text,
  ed25519: s.bytes(32),
  created: s.count,
  prev_card_hash: s.optional(s.bytes(32)),
});

const signed = (json: Uint8Array): Uint8Array => ctx('hearth/v1/card', json);

/** A new card, also signed by the previous identity where that is at hand. */
export function makeCard(
  identity: Identity,
  user: Id,
  created: number,
  previous?: { readonly card: Card; readonly identity: Identity },
): Uint8Array {
  const json = utf8(
    JSON.stringify({
      user,
      age: identity.recipient,
      ed25519: b64u(identity.ed25519),
      created,
      ...(previous === undefined ? {} : { prev_card_hash: b64u(previous.card.hash) }),
    }),
  );
  const own = sign(identity.seed, signed(json));
  const former = previous === undefined ? [] : [sign(previous.identity.seed, signed(json))];
  return concat(lp(json), own, ...former);
}

function parse(bytes: Uint8Array): { card: Card; json: Uint8Array; signatures: Uint8Array } {
  const reader = new Reader('a card', bytes);
  const json = reader.part();
  const signatures = reader.rest();
  if (signatures.length !== 64 && signatures.length !== 128) {
    throw new SealingError('a card has one signature or two');
  }
  const { user, age, ed25519, created, prev_card_hash } = s.parseJsonBytes(fields, json);
  const key = publicKey(ed25519);
  const to = recipient(age);
  const card: Card = {
    user,
    age: to,
    ed25519: key,
    created,
    prevCardHash: prev_card_hash,
    fingerprint: fingerprint(user, key, to),
    hash: sha256(json),
  };
  return { card, json, signatures };
}

/** Reads a card and checks its own signature. */
export async function verifyCard(bytes: Uint8Array): Promise<Card> {
  const { card, json, signatures } = parse(bytes);
  await demand('a card', card.ed25519, signed(json), signatures.subarray(0, 64));
  return card;
}

/** A card that follows `previous`: whether the previous key signed it too. */
export async function verifyFollowingCard(
  bytes: Uint8Array,
  previous: Card,
): Promise<{ card: Card; signedByPrevious: boolean }> {
  const { card, json, signatures } = parse(bytes);
  await demand('a card', card.ed25519, signed(json), signatures.subarray(0, 64));
  const follows = card.prevCardHash !== null && equal(card.prevCardHash, previous.hash);
  if (!follows || card.user !== previous.user) {
    throw new SealingError('a card does not follow the one before it');
  }
  const signedByPrevious = signatures.length === 128;
  if (signedByPrevious) {
    const former = signatures.subarray(64);
    await demand('a card by its previous key', previous.ed25519, signed(json), former);
  }
  return { card, signedByPrevious };
}
