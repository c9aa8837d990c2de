// Password to keys: Argon2id, then one half for the box and one for the vault (sealing.md §2).
import { argon2id } from 'hash-wasm';
import { utf8 } from '../protocol/bytes';
import * as s from '../protocol/schema';
import { hkdf, NO_SALT, SealingError, sha256 } from './kdf';

/** Argon2id's parameters. */
export interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** What new passwords cost: 64 MiB, 3 passes, one lane. */
export const DEFAULT_COST: Cost = { memoryKib: 65_536, passes: 3, lanes: 1 };

const fields = s.object({ memory_kib: s.u32Number, passes: s.u32Number, lanes: s.u32Number });

/** A cost in JSON. Its bounds are checked when it is used. */
export const cost: s.Parser<Cost> = (value, path) => {
  const { memory_kib, passes, lanes } = fields(value, path);
  return { memoryKib: memory_kib, passes, lanes };
};

export const costJson = (of: Cost): { memory_kib: number; passes: number; lanes: number } => ({
  memory_kib: of.memoryKib,
  passes: of.passes,
  lanes: of.lanes,
});

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
