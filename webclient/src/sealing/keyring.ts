// All keys of this client, and the answers to what the rest of it may ask. Runs in the worker.
import { equal } from '../protocol/bytes';
import type { Cost } from '../protocol/cost';
import type { Id, InviteCode } from '../protocol/ids';
import { Account } from './account';
import { parseAnnouncement, parseBundle, readBundles } from './bundle';
import { Cards } from './cards';
import { comparisonOf, markChecked } from './comparison';
import type { Rules } from './epoch';
import { disclose, readEvidence } from './evidence';
import { HeldInvites } from './held_invites';
import { SealingError, type Random } from './kdf';
import { makeInvite } from './make_invite';
import { makeFirst, makeNext, makeOwnJoin, NOT_HERE, type Ground } from './next_epoch';
import { KEEPS_NOTHING, OpenedCache, type OpenedPage, type OpenedShelf } from './opened_cache';
import { openPost, openWire, sealWire } from './opening';
import { Pairing, parseTyped } from './pairing';
import { stretch } from './password';
import type * as r from './requests';
import { reaches, RoomKeys, type Anchor } from './room_keys';
import { acceptKeys, trustOf } from './trust';
import type { PinState } from './vault';

const ROOT = 'root';
/** The root before this one: rooms may still list its keys. */
const FORMER = 'former-root';

export class Keyring implements r.Sealing {
  readonly #safe: r.Safe;
  readonly #random: Random;
  #account: Account | null = null;
  #renewed: Account | null = null;
  #vaultKey: Uint8Array | null = null;
  #cards = new Cards();
  #rooms = new Map<Id, RoomKeys>();
  #invites = new HeldInvites();
  /** Header hashes of first epochs made here, so that they are believed when they come back. */
  #founded = new Map<Id, Uint8Array>();
  readonly #pairing: Pairing;
  readonly #cache: OpenedCache;

  /** `opened`: where what was opened is kept between reloads. */
  constructor(safe: r.Safe, random: Random, opened: OpenedShelf = KEEPS_NOTHING) {
    this.#safe = safe;
    this.#cache = new OpenedCache(opened, random);
    this.#random = random;
    this.#pairing = new Pairing(random);
  }

  get #me(): Account {
    if (this.#account === null) throw new SealingError('nobody is signed in');
    return this.#account;
  }

  #enter(account: Account): void {
    if (this.#account !== null && this.#account.user !== account.user) this.#clear();
    this.#account = account;
    this.#cards.addOwn(account);
  }

  async wake(user: Id): Promise<boolean> {
    const root = await this.#safe.get(ROOT);
    if (root === null || root.length !== 32) return false;
    this.#enter(new Account(user, root));
    await this.#remember();
    return true;
  }

  async #remember(): Promise<void> {
    const former = await this.#safe.get(FORMER);
    if (former !== null && former.length === 32) this.#me.takeFormer(former);
  }

  keep(): Promise<void> {
    return this.#safe.put(ROOT, this.#me.identity.root);
  }

  async forget(): Promise<void> {
    await this.#safe.wipe();
    this.#account = null;
    this.#vaultKey = null;
    this.#clear();
    this.#pairing.end();
  }

  /** What is known of other people and of rooms. */
  #clear(): void {
    this.#renewed = null;
    this.#cards = new Cards();
    this.#rooms = new Map();
    this.#invites = new HeldInvites();
    this.#founded = new Map();
  }

  async stretch(password: string, salt: Uint8Array, cost: Cost): Promise<Uint8Array> {
    const made = await stretch(password, salt, cost);
    this.#vaultKey = made.vaultKey;
    return made.authKey;
  }

  async createIdentity(user: Id, now: number): Promise<r.NewIdentity> {
    if (this.#vaultKey === null) throw new SealingError('the password is not at hand');
    const { account, made } = Account.create(user, this.#vaultKey, now, this.#random);
    this.#enter(account);
    return made;
  }

  async openVault(user: Id, version: number, vault: Uint8Array): Promise<void> {
    if (this.#account !== null && this.#account.user === user) {
      try {
        return this.#account.takeVault(version, vault);
      } catch (error) {
        // Perhaps of a new root, made elsewhere: the password's key says so.
        if (!(error instanceof SealingError) || this.#vaultKey === null) throw error;
      }
    }
    if (this.#vaultKey === null) throw new SealingError('the password is not at hand');
    this.#enter(Account.fromVault(user, version, vault, this.#vaultKey));
    await this.#remember();
  }

  async writeVault(version: number): Promise<r.VaultFiles> {
    return this.#me.writeVault(version, this.#random);
  }

  rewriteVault(rewrite: r.VaultRewrite): Promise<r.RewrittenVault> {
    const key = rewrite.underPassword ? this.#vaultKey : null;
    if (rewrite.underPassword && key === null) {
      throw new SealingError('the password is not at hand');
    }
    return this.#me.rewriteVault(rewrite, key, this.#random);
  }

  async openRecovery(user: Id, file: Uint8Array, sheet: string): Promise<void> {
    this.#enter(await Account.fromRecovery(user, file, sheet));
  }

  async pairBegin(): Promise<r.BegunPairing> {
    return this.#pairing.begin();
  }

  async pairTyped(text: string): Promise<r.TypedPairing | null> {
    return parseTyped(text);
  }

  async pairAnswer(offer: r.PairingOffer, print: Uint8Array | null): Promise<r.PairingAnswer> {
    return this.#pairing.answer(offer, print);
  }

  async pairMeet(key: Uint8Array): Promise<string> {
    return this.#pairing.meet(key);
  }

  async pairGive(refresh: string): Promise<Uint8Array> {
    return this.#pairing.give(this.#me.identity.root, refresh);
  }

  async pairTake(sealed: Uint8Array): Promise<string> {
    return this.#pairing.take(sealed);
  }

  async pairEnter(user: Id): Promise<void> {
    const root = this.#pairing.root();
    // Of whoever was here before, nothing stays.
    await this.forget();
    this.#enter(new Account(user, root));
  }

  async pairEnd(): Promise<void> {
    this.#pairing.end();
  }

  async vaultChanged(): Promise<boolean> {
    return this.#me.changed;
  }

  async touchVault(): Promise<void> {
    this.#me.changed = true;
  }

  async pins(): Promise<ReadonlyMap<Id, PinState>> {
    return new Map([...this.#me.pins].map(([user, { state }]) => [user, state]));
  }

  async trust(): Promise<ReadonlyMap<Id, r.Trust>> {
    return trustOf(this.#me, this.#cards);
  }

  async acceptKeys(user: Id, at: number): Promise<void> {
    acceptKeys(user, at, this.#me, this.#cards);
  }

  async renewIdentity(version: number, at: number): Promise<r.RenewedIdentity> {
    if (this.#vaultKey === null) throw new SealingError('the password is not at hand');
    const mine = this.#cards.newest(this.#me.user);
    if (mine === null || !equal(mine.fingerprint, this.#me.fingerprint)) {
      throw new SealingError('the box holds newer keys of yours: sign in again');
    }
    const { account, card } = this.#me.renewed(this.#vaultKey, mine, at, this.#random);
    // Written before the box has the new ones: after a crash the rooms still know the old ones.
    await this.#safe.put(FORMER, this.#me.identity.root);
    this.#renewed = account;
    return { card, ...(await account.writeVault(version, this.#random)) };
  }

  async identityRenewed(): Promise<void> {
    if (this.#renewed === null) throw new SealingError('no new keys were made');
    this.#enter(this.#renewed);
    this.#renewed = null;
    await this.keep();
  }

  addCards(user: Id, cards: readonly Uint8Array[]): Promise<void> {
    return this.#cards.add(user, cards);
  }

  async missingCards(bundles: readonly Uint8Array[]): Promise<Id[]> {
    const missing = new Set<Id>();
    for (const { header } of readBundles(bundles).bundles) {
      for (const [user, print] of header.members) {
        if (this.#cards.byPrint(print) === null) missing.add(user);
      }
    }
    return [...missing];
  }

  #room(room: Id): RoomKeys {
    const known = this.#rooms.get(room);
    if (known !== undefined) return known;
    const made = new RoomKeys(room);
    this.#rooms.set(room, made);
    return made;
  }

  #anchor(room: Id): Anchor {
    const founded = this.#founded.get(room);
    if (founded !== undefined) return { kind: 'known', head: [1, founded] };
    const head = this.#me.heads.get(room);
    if (head !== undefined) return { kind: 'known', head };
    return this.#invites.anchor(room) ?? { kind: 'none' };
  }

  async takeBundles(
    room: Id,
    bundles: readonly Uint8Array[],
    source: 'kept' | 'box',
    now = Number.MAX_SAFE_INTEGER,
  ): Promise<r.KeyView> {
    const keys = this.#room(room);
    try {
      const anchor = this.#anchor(room);
      if (source === 'box' || keys.head !== null || reaches(bundles, anchor)) {
        await keys.take(bundles, { cards: this.#cards, me: this.#me, anchor, now });
      }
    } finally {
      await keys.open(this.#me, this.#invites.identities());
    }
    return keys.view(this.#me, this.#cards);
  }

  async accepted(room: Id, bundles: readonly Uint8Array[]): Promise<boolean[]> {
    return this.#room(room).accepted(bundles);
  }

  async keyView(room: Id): Promise<r.KeyView> {
    return this.#room(room).view(this.#me, this.#cards);
  }

  async sealedRooms(): Promise<Id[]> {
    const ids = [...this.#me.heads.keys(), ...this.#founded.keys(), ...this.#invites.rooms()];
    return [...new Set(ids)];
  }

  async isNews(room: Id, announcement: Uint8Array): Promise<boolean> {
    const { header } = parseAnnouncement(announcement);
    return header.room === room && header.epoch > this.#room(room).epoch;
  }

  async comparison(user: Id): Promise<r.Comparison | null> {
    return comparisonOf(user, this.#me, this.#cards);
  }

  async checked(user: Id, digits: string, at: number): Promise<void> {
    markChecked(user, digits, at, this.#me, this.#cards);
  }

  async foundRoom(
    room: Id,
    rules: Rules,
    at: number,
    others: Id[] = [],
    devices: Id[] = [],
  ): Promise<Uint8Array> {
    const bundle = await makeFirst(
      { room, rules, at, others, devices },
      this.#me,
      this.#cards,
      this.#random,
    );
    this.#founded.set(room, parseBundle(bundle).headerHash);
    return bundle;
  }

  #ground(room: Id): Ground {
    const keys = this.#room(room);
    const { head } = keys;
    if (head === null) throw new SealingError(NOT_HERE);
    const listedBefore = keys.listedBefore(head.header.epoch);
    const [open, newest] = [keys.keys(head.header.epoch), keys.newest()];
    return {
      head,
      open,
      newest,
      keys: (epoch) => keys.keys(epoch),
      listedBefore,
      cards: this.#cards,
      me: this.#me,
      random: this.#random,
    };
  }

  async nextEpoch(request: r.NextEpoch): Promise<r.MadeEpoch> {
    const ground = this.#ground(request.room);
    if (this.#me.listedIn(ground.head.header) !== null) return makeNext(request, ground);
    if (ground.open === null) throw new SealingError(NOT_HERE);
    const held = this.#invites.keysOf(ground.head.header.invites.map(({ code }) => code));
    if (held === null) {
      throw new SealingError('not listed in this room, and no invite to it is at hand');
    }
    return makeOwnJoin(request, ground, held);
  }

  makeInvite(request: r.InviteRequest): Promise<r.MadeInvite> {
    return makeInvite(request, (room) => this.#ground(room), this.#me, this.#random);
  }

  async takeInvite(code: InviteCode, k: Uint8Array): Promise<Uint8Array> {
    return this.#invites.take(code, k);
  }

  async readInvite(code: InviteCode, blob: Uint8Array): Promise<Id[]> {
    return this.#invites.read(code, blob);
  }

  async joinProofs(code: InviteCode): Promise<{ room: Id; proof: Uint8Array }[]> {
    return this.#invites.joinProofs(code, this.#me);
  }

  async seal(event: r.ToSeal): Promise<Uint8Array> {
    const { head, open } = this.#ground(event.room);
    if (open === null) throw new SealingError(NOT_HERE);
    return sealWire(event, head.header.epoch, open, this.#me, this.#random);
  }

  async open(
    room: Id,
    wires: readonly Uint8Array[],
    positions: r.Positions = [],
  ): Promise<r.Opened[]> {
    const [keys, page] = [this.#room(room), await this.#opened(room, positions)];
    const opening = wires.map((wire, n) =>
      openWire(wire, keys, this.#cards, this.#me, page.at(positions[n] ?? null)),
    );
    const opened = await Promise.all(opening);
    await page.keep();
    return opened;
  }

  async openPosts(
    room: Id,
    posts: readonly r.DevicePost[],
    positions: r.Positions = [],
  ): Promise<r.OpenedPost[]> {
    const [keys, page] = [this.#room(room), await this.#opened(room, positions)];
    const opening = posts.map((post, n) => openPost(post, keys, page.at(positions[n] ?? null)));
    const opened = await Promise.all(opening);
    await page.keep();
    return opened;
  }

  disclose(room: Id, wires: readonly Uint8Array[], to: readonly Id[]): Promise<r.Disclosed> {
    return disclose(wires, to, this.#room(room), this.#cards, this.#me);
  }

  readEvidence(file: Uint8Array, about: r.About): Promise<r.Evidence> {
    return readEvidence(file, about, this.#cards, this.#me);
  }

  #opened(room: Id, positions: r.Positions): Promise<OpenedPage> {
    return this.#cache.page(this.#me.identity.root, room, positions);
  }
}
