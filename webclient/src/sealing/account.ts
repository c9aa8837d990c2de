// The signed-in person: root, the password's key while at hand, pins and heads, the vault.
import { equal } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import { ageIdentity, identityFromScalar, recipientOf } from './agefile';
import { makeCard } from './card';
import { fingerprint, identityOf, type Identity } from './identity';
import { SealingError, type Random } from './kdf';
import type { NewIdentity, RewrittenVault, VaultFiles, VaultRewrite } from './requests';
import {
  mergeVaults,
  openRecovery,
  openVault,
  openVaultData,
  sealedRootOf,
  sealRecovery,
  sealRoot,
  sealVault,
  type Head,
  type Pin,
  type PinState,
  type RecoveryKey,
  type VaultData,
} from './vault';

export class Account {
  readonly user: Id;
  readonly identity: Identity;
  readonly fingerprint: Uint8Array;
  readonly pins = new Map<Id, Pin>();
  readonly heads = new Map<Id, Head>();
  changed = false;
  #recovery: RecoveryKey | null = null;
  #sealedRoot: Uint8Array | null = null;

  constructor(user: Id, root: Uint8Array) {
    this.user = user;
    this.identity = identityOf(root);
    this.fingerprint = fingerprint(user, this.identity.ed25519, this.identity.recipient);
  }

  /** A new person: root, card, recovery sheet; root sealed under the password's key. */
  static create(
    user: Id,
    vaultKey: Uint8Array,
    now: number,
    random: Random,
  ): { account: Account; made: NewIdentity } {
    const account = new Account(user, random(32));
    const card = makeCard(account.identity, user, now);
    const sheet = identityFromScalar(random(32));
    account.#recovery = { recipient: recipientOf(sheet), at: now };
    account.#sealedRoot = sealRoot(vaultKey, account.identity.root, user, random);
    return { account, made: { card, recoverySheet: sheet } };
  }

  /** A person of whom only the password is known. */
  static fromVault(user: Id, version: number, vault: Uint8Array, vaultKey: Uint8Array): Account {
    const { root, data } = openVault(vault, user, version, vaultKey);
    const account = new Account(user, root);
    account.#take(vault, data);
    return account;
  }

  /** A person who has the recovery sheet; what the vault knows besides is taken next. */
  static async fromRecovery(user: Id, file: Uint8Array, sheet: string): Promise<Account> {
    const { root, data } = await openRecovery(file, ageIdentity(sheet), user);
    const account = new Account(user, root);
    account.#takeData(data);
    return account;
  }

  /** Another browser's vault of the same root, merged into what is known here. */
  takeVault(version: number, vault: Uint8Array): void {
    const data = openVaultData(vault, this.user, version, this.identity.root);
    const mine = this.#recovery;
    if (mine === null) return this.#take(vault, data);
    const merged = mergeVaults({ recovery: mine, pins: this.pins, heads: this.heads }, data);
    this.#take(vault, merged);
  }

  #take(vault: Uint8Array, data: VaultData): void {
    this.#sealedRoot = sealedRootOf(vault);
    this.#takeData(data);
  }

  #takeData(data: VaultData): void {
    this.#recovery = data.recovery;
    for (const [user, pin] of data.pins) this.pins.set(user, pin);
    for (const [room, head] of data.heads) this.heads.set(room, head);
  }

  /** The files of this version. */
  async writeVault(version: number, random: Random): Promise<VaultFiles> {
    const [recovery, sealedRoot] = [this.#recovery, this.#sealedRoot];
    if (recovery === null || sealedRoot === null) {
      throw new SealingError('the vault was not read yet: sign in again');
    }
    const { root } = this.identity;
    const data: VaultData = { recovery, pins: this.pins, heads: this.heads };
    const vault = sealVault(sealedRoot, root, this.user, version, data, random);
    this.changed = false;
    return { vault, recovery: await sealRecovery(data, root, this.user) };
  }

  /**
   * The files of this version with root under another password, or with another sheet. Nothing of
   * it counts here before the box has it and `takeVault` takes it: a refused one leaves no trace.
   */
  async rewriteVault(
    { version, newSheetAt }: VaultRewrite,
    vaultKey: Uint8Array | null,
    random: Random,
  ): Promise<RewrittenVault> {
    const { root } = this.identity;
    const sealedRoot =
      vaultKey === null ? this.#sealedRoot : sealRoot(vaultKey, root, this.user, random);
    const sheet = newSheetAt === null ? null : identityFromScalar(random(32));
    const recovery =
      sheet === null || newSheetAt === null
        ? this.#recovery
        : { recipient: recipientOf(sheet), at: newSheetAt };
    if (recovery === null || sealedRoot === null) {
      throw new SealingError('the vault was not read yet: sign in again');
    }
    const data: VaultData = { recovery, pins: this.pins, heads: this.heads };
    const vault = sealVault(sealedRoot, root, this.user, version, data, random);
    const file = await sealRecovery(data, root, this.user);
    return { vault, recovery: file, recoverySheet: sheet };
  }

  /** Remembers the newest epoch seen of a room. */
  setHead(room: Id, head: Head): void {
    const known = this.heads.get(room);
    if (known !== undefined && known[0] >= head[0]) return;
    this.heads.set(room, head);
    this.changed = true;
  }

  /** Remembers whom a fingerprint belongs to; `signedOn`: signed by the previous key as well. */
  pin(
    user: Id,
    print: Uint8Array,
    state: PinState,
    by: Id | null,
    at: number,
    signedOn: boolean,
  ): void {
    if (user === this.user) return;
    const known = this.pins.get(user);
    if (known === undefined) {
      this.pins.set(user, { fingerprint: print, state, at, by });
      this.changed = true;
      return;
    }
    if (equal(known.fingerprint, print)) {
      if (known.state !== 'unverified' || state === 'unverified') return;
      this.pins.set(user, { fingerprint: print, state, at, by });
    } else {
      const next = signedOn ? known.state : 'changed';
      this.pins.set(user, { fingerprint: print, state: next, at, by });
    }
    this.changed = true;
  }
}
