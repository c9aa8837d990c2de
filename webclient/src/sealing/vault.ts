// The vault: root under the password's key, pins and heads under root; the recovery file (§2).
import { b64u, concat, Reader, u64, utf8 } from '../protocol/bytes';
import { idBytes, type Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { openFile, recipient, sealFile, type AgeIdentity, type Recipient } from './agefile';
import { ctx, hkdf, lp, NO_SALT, open, seal, SealingError, type Random } from './kdf';

const VERSION = 1;
const RECOVERY_MAX = 256 * 1024;

export type PinState = 'unverified' | 'vouched' | 'verified' | 'changed';

export interface Pin {
  readonly fingerprint: Uint8Array;
  readonly state: PinState;
  /** ms since 1970: the newer wins. */
  readonly at: number;
  readonly by: Id | null;
}

export interface RecoveryKey {
  readonly recipient: Recipient;
  readonly at: number;
}

export type Head = readonly [epoch: number, headerHash: Uint8Array];

/** What a person keeps across browsers, besides root. */
export interface VaultData {
  readonly recovery: RecoveryKey;
  readonly pins: ReadonlyMap<Id, Pin>;
  readonly heads: ReadonlyMap<Id, Head>;
}

const pin: s.Parser<Pin> = s.object({
  fingerprint: s.bytes(32),
  state: s.oneOf('unverified', 'vouched', 'verified', 'changed'),
  at: s.count,
  by: s.optional(s.id),
});
const recoveryKey: s.Parser<RecoveryKey> = s.object({
  recipient: (value, path) => recipient(s.text(value, path)),
  at: s.count,
});
const data: s.Parser<VaultData> = s.object({
  recovery: recoveryKey,
  pins: s.map(s.id, pin),
  heads: s.map(s.id, s.pair(s.u32Number, s.bytes(32))),
});
const rootAndUser = s.object({ root: s.bytes(32), user: s.id });

function dataJson({ recovery, pins, heads }: VaultData): Record<string, unknown> {
  return {
    recovery,
    pins: Object.fromEntries(
      [...pins].map(([user, { fingerprint, state, at, by }]) => [
        user,
        { fingerprint: b64u(fingerprint), state, at, ...(by === null ? {} : { by }) },
      ]),
    ),
    heads: Object.fromEntries(
      [...heads].map(([room, [epoch, hash]]) => [room, [epoch, b64u(hash)]]),
    ),
  };
}

const rootAad = (user: Id): Uint8Array => ctx('hearth/v1/vault-root', idBytes(user));
const dataAad = (user: Id, version: number): Uint8Array =>
  ctx('hearth/v1/vault', idBytes(user), u64(version));
const dataKey = (root: Uint8Array): Uint8Array => hkdf(root, NO_SALT, 'hearth/v1/vault-data');

/** Part 1: root under the password's key. Does not change with the version. */
export const sealRoot = (
  vaultKey: Uint8Array,
  root: Uint8Array,
  user: Id,
  random: Random,
): Uint8Array => seal(vaultKey, root, rootAad(user), random);

/** A whole vault of a sealed root and the data of this version. */
export function sealVault(
  sealedRoot: Uint8Array,
  root: Uint8Array,
  user: Id,
  version: number,
  of: VaultData,
  random: Random,
): Uint8Array {
  const sealedData = seal(
    dataKey(root),
    utf8(JSON.stringify(dataJson(of))),
    dataAad(user, version),
    random,
  );
  return concat(Uint8Array.of(VERSION), lp(sealedRoot), sealedData);
}

function split(vault: Uint8Array): { sealedRoot: Uint8Array; sealedData: Uint8Array } {
  const reader = new Reader('a vault', vault);
  if (reader.u8() !== VERSION) throw new SealingError('a vault of a format not known here');
  return { sealedRoot: reader.part(), sealedData: reader.rest() };
}

/** Opens the data of a vault of this version, by a client that has root. */
export function openVaultData(
  vault: Uint8Array,
  user: Id,
  version: number,
  root: Uint8Array,
): VaultData {
  const json = open('the vault', dataKey(root), split(vault).sealedData, dataAad(user, version));
  return s.parseJsonBytes(data, json);
}

/** Part 1 as it lies in the vault, to be kept when only part 2 is written anew. */
export const sealedRootOf = (vault: Uint8Array): Uint8Array => split(vault).sealedRoot;

/** Whether this is the password's key that a root lies under. */
export function opensRoot(vaultKey: Uint8Array, sealedRoot: Uint8Array, user: Id): boolean {
  try {
    return open('the vault', vaultKey, sealedRoot, rootAad(user)).length === 32;
  } catch (error) {
    if (error instanceof SealingError) return false;
    throw error;
  }
}

/** Opens a vault of this version with the password's key. */
export function openVault(
  vault: Uint8Array,
  user: Id,
  version: number,
  vaultKey: Uint8Array,
): { root: Uint8Array; data: VaultData } {
  const root = open('the vault', vaultKey, split(vault).sealedRoot, rootAad(user));
  if (root.length !== 32) throw new SealingError('the vault holds no root');
  return { root, data: openVaultData(vault, user, version, root) };
}

/** The recovery file: the same JSON with root and user, to the recipient in the data itself. */
export function sealRecovery(of: VaultData, root: Uint8Array, user: Id): Promise<Uint8Array> {
  const json = JSON.stringify({ ...dataJson(of), root: b64u(root), user });
  return sealFile([of.recovery.recipient], utf8(json));
}

/** Opens a recovery file with the sheet's identity. */
export async function openRecovery(
  file: Uint8Array,
  identity: AgeIdentity,
  user: Id,
): Promise<{ root: Uint8Array; data: VaultData }> {
  const json = await openFile('the recovery file', identity, file, RECOVERY_MAX);
  const opened = s.parseJsonBytes(rootAndUser, json);
  if (opened.user !== user) throw new SealingError('the recovery file is another person’s');
  return { root: opened.root, data: s.parseJsonBytes(data, json) };
}

function newerPin(a: Pin, b: Pin): Pin {
  const [changedA, changedB] = [a.state === 'changed', b.state === 'changed'];
  if (changedA !== changedB) return changedA ? a : b;
  return b.at > a.at ? b : a;
}

function mergeMaps<K, V>(
  a: ReadonlyMap<K, V>,
  b: ReadonlyMap<K, V>,
  pick: (a: V, b: V) => V,
): Map<K, V> {
  const out = new Map(a);
  for (const [key, value] of b) {
    const mine = out.get(key);
    out.set(key, mine === undefined ? value : pick(mine, value));
  }
  return out;
}

/** Two vaults of the same root, merged (sealing.md §2). */
export function mergeVaults(a: VaultData, b: VaultData): VaultData {
  return {
    recovery: b.recovery.at > a.recovery.at ? b.recovery : a.recovery,
    pins: mergeMaps(a.pins, b.pins, newerPin),
    heads: mergeMaps(a.heads, b.heads, (mine, other) => (other[0] > mine[0] ? other : mine)),
  };
}
