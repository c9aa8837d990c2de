// The signed-in person: root, the password's key while at hand, pins and heads, the vault.
import { equal } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import { ageIdentity, identityFromScalar, recipientOf } from './agefile';
import { makeCard } from './card';
import type { Card } from './card';
import type { Cards } from './cards';
import { fingerprintOf, type Header } from './epoch';
import { fingerprint, identityOf, type Identity } from './identity';
import { SealingError, type Random } from './kdf';
import type { NewIdentity, RewrittenVault, VaultFiles, VaultRewrite } from './requests';
import {
  mergeVaults,
  openRecovery,
  openVault,
  openVaultData,
  opensRoot,
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
  /** The keys before these, until every room lists these. */
  #former: Identity | null = null;
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

  /** Takes the keys that this person had before. */
  takeFormer(root: Uint8Array): void {
    if (!equal(root, this.identity.root)) this.#former = identityOf(root);
  }

  /** The keys that an epoch lists for this person: these, or those before; null: neither. */
  listedIn(header: Header): Identity | null {
    const print = fingerprintOf(header, this.user);
    if (print === null) return null;
    if (equal(print, this.fingerprint)) return this.identity;
    const former = this.#former;
    if (former === null) return null;
    const before = fingerprint(this.user, former.ed25519, former.recipient);
    return equal(print, before) ? former : null;
  }

  /** The same person with new keys: their card follows `before`, signed by the old keys too. */
  renewed(
    vaultKey: Uint8Array,
    before: Card,
    at: number,
    random: Random,
  ): { account: Account; card: Uint8Array } {
    if (this.#sealedRoot === null || !opensRoot(vaultKey, this.#sealedRoot, this.user)) {
      throw new SealingError('the password is not the one that your keys lie under');
    }
    const account = new Account(this.user, random(32));
    const previous = { card: before, identity: this.identity };
    const card = makeCard(account.identity, this.user, at, previous);
    account.#former = this.identity;
    account.#recovery = this.#recovery;
    account.#sealedRoot = sealRoot(vaultKey, account.identity.root, this.user, random);
    for (const [user, pin] of this.pins) account.pins.set(user, pin);
    for (const [room, head] of this.heads) account.heads.set(room, head);
    return { account, card };
  }

  /** Remembers whom a fingerprint belongs to, as an epoch or an invite says. */
  pin(
    user: Id,
    print: Uint8Array,
    state: PinState,
    by: Id | null,
    at: number,
    cards: Pick<Cards, 'leads'>,
  ): void {
    if (user === this.user) return;
    const known = this.pins.get(user);
    if (known === undefined) {
      this.pins.set(user, { fingerprint: print, state, at, by });
    } else if (equal(known.fingerprint, print)) {
      if (known.state !== 'unverified' || state === 'unverified') return;
      this.pins.set(user, { fingerprint: print, state, at, by });
    } else if (cards.leads(known.fingerprint, print)) {
      this.pins.set(user, { ...known, fingerprint: print });
    } else {
      // An older list that still has the keys before these is no news.
      if (cards.leads(print, known.fingerprint)) return;
      this.pins.set(user, { fingerprint: print, state: 'changed', at, by });
    }
    this.changed = true;
  }
}
