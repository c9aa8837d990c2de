// Password to keys: Argon2id, then one half for the box and one for the vault (sealing.md §2).
import { argon2id } from 'hash-wasm';
import { utf8 } from '../protocol/bytes';
import type { Cost } from '../protocol/cost';
import { hkdf, NO_SALT, SealingError, sha256 } from './kdf';

/** What comes of a password. `stretched` and `vaultKey` never leave the worker. */
export interface Stretched {
  readonly stretched: Uint8Array;
  readonly authKey: Uint8Array;
  /** SHA-256 of authKey: what the box keeps. */
  readonly verifier: Uint8Array;
  readonly vaultKey: Uint8Array;
}

function checkCost({ memoryKib, passes, lanes }: Cost): void {
  const good =
    memoryKib >= 19_456 &&
    memoryKib <= 262_144 &&
    passes >= 2 &&
    passes <= 10 &&
    lanes >= 1 &&
    lanes <= 4;
  if (!good) {
    throw new SealingError(
      'the box asks for a password cost that is too weak or absurd: not signed in',
    );
  }
}

/** Argon2id v1.3 of the NFKC password; costs outside the bounds are refused before any work. */
export async function stretch(password: string, salt: Uint8Array, at: Cost): Promise<Stretched> {
  checkCost(at);
  if (salt.length !== 16) throw new SealingError('a salt has 16 bytes');
  if (password === '') throw new SealingError('the password is empty');
  const stretched = await argon2id({
    password: utf8(password.normalize('NFKC')),
    salt,
    memorySize: at.memoryKib,
    iterations: at.passes,
    parallelism: at.lanes,
    hashLength: 32,
    outputType: 'binary',
  });
  const authKey = hkdf(stretched, NO_SALT, 'hearth/v1/auth');
  const vaultKey = hkdf(stretched, NO_SALT, 'hearth/v1/vault');
  return { stretched, authKey, verifier: sha256(authKey), vaultKey };
}
