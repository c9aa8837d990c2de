// A person's root and what grows from it; fingerprints and safety numbers (sealing.md §1).
import { concat, equal } from '../protocol/bytes';
import { idBytes, type Id } from '../protocol/ids';
import {
  identityFromScalar,
  recipientBytes,
  recipientOf,
  type AgeIdentity,
  type Recipient,
} from './agefile';
import { ctx, hkdf, NO_SALT, SealingError, sha256 } from './kdf';
import { publicOf, type PublicKey } from './sign';

/** The keys of a person. Never leave the worker. */
export interface Identity {
  readonly root: Uint8Array;
  readonly age: AgeIdentity;
  readonly recipient: Recipient;
  /** Ed25519 seed. */
  readonly seed: Uint8Array;
  readonly ed25519: PublicKey;
}

/** The keys of a root of 32 bytes. */
export function identityOf(root: Uint8Array): Identity {
  if (root.length !== 32) throw new SealingError('a root has 32 bytes');
  const age = identityFromScalar(hkdf(root, NO_SALT, 'hearth/v1/identity-age'));
  const seed = hkdf(root, NO_SALT, 'hearth/v1/identity-sign');
  return { root, age, recipient: recipientOf(age), seed, ed25519: publicOf(seed) };
}

/** SHA-256(ctx("hearth/v1/fingerprint", user, ed25519, age public key)). */
export function fingerprint(user: Id, ed25519: PublicKey, age: Recipient): Uint8Array {
  return sha256(ctx('hearth/v1/fingerprint', idBytes(user), ed25519, recipientBytes(age)));
}

function digits(of: Uint8Array): string {
  return Array.from({ length: 6 }, (_, group) => {
    const five = of.subarray(5 * group, 5 * group + 5);
    const number = five.reduce((sum, byte) => sum * 256 + byte, 0);
    return String(number % 100_000).padStart(5, '0');
  }).join('');
}

function before(a: Uint8Array, b: Uint8Array): boolean {
  const at = a.findIndex((byte, n) => byte !== b[n]);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}

/** The 60 digits two people compare. */
export function safetyNumber(a: Uint8Array, b: Uint8Array): string {
  if (concat(a, b).length !== 64 || a.length !== 32) {
    throw new SealingError('a fingerprint has 32 bytes');
  }
  const [first, second] = before(b, a) ? [b, a] : [a, b];
  return digits(first) + digits(second);
}

/** Whether two fingerprints are the same. */
export const sameFingerprint = equal;
