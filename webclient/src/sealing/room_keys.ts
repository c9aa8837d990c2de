// The chain of a room's epochs as this client has accepted it, and the secrets it could open.
import { equal, hex } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import type { AgeIdentity } from './agefile';
import type { Account } from './account';
import { openBundle, readBundles, verifyBundle, type Bundle } from './bundle';
import type { Card } from './card';
import type { Cards } from './cards';
import { checkNext, stepBack } from './chain';
import { isFalseDoor } from './door';
import { dueAt, fingerprintOf, type Door, type EpochKeys, type Header } from './epoch';
import type { Blob } from './invite';
import { SealingError } from './kdf';
import { isRefusal } from './refusal';
import type { KeyView } from './requests';
import { changesOf, NOBODY } from './trust';
import type { Head } from './vault';

/** What makes the first bundle believable. */
export type Anchor =
  | { readonly kind: 'known'; readonly head: Head }
  | { readonly kind: 'invite'; readonly head: Head; readonly blob: Blob }
  | { readonly kind: 'none' };

/** Whether bundles go as far as the epoch that makes them believable. */
export function reaches(bundles: readonly Uint8Array[], anchor: Anchor): boolean {
  if (anchor.kind === 'none') return true;
  const [epoch] = anchor.head;
  return readBundles(bundles).bundles.some(({ header }) => header.epoch === epoch);
}

/** What bundles are judged by. */
export interface Judging {
  readonly cards: Cards;
  readonly me: Account;
  readonly anchor: Anchor;
  /** ms since 1970: nothing is remembered as newer. */
  readonly now: number;
}

export class RoomKeys {
  readonly room: Id;
  readonly #bundles = new Map<number, Bundle>();
  readonly #keys = new Map<number, EpochKeys>();
  /** Epochs whose way back was gone. */
  readonly #walked = new Set<number>();
  #head = 0;
  #split = false;
  /** Of doors whose epoch opens, whether they are false. */
  readonly #false = new Map<Door, boolean>();

  constructor(room: Id) {
    this.room = room;
  }

  get head(): Bundle | null {
    return this.#bundles.get(this.#head) ?? null;
  }

  get epoch(): number {
    return this.#head;
  }

  keys(epoch: number): EpochKeys | null {
    return this.#keys.get(epoch) ?? null;
  }

  header(epoch: number): Header | null {
    return this.#bundles.get(epoch)?.header ?? null;
  }

  /** Every header, the newest first. */
  headers(): Header[] {
    return [...this.#bundles.values()]
      .map(({ header }) => header)
      .sort((a, b) => b.epoch - a.epoch);
  }

  view(me: Account, cards: Cards): KeyView {
    const header = this.head?.header ?? null;
    return {
      epoch: this.#head,
      open: this.#keys.has(this.#head),
      listed: header !== null && isListed(header, me),
      split: this.#split,
      mayBuild: header !== null && this.#mayBuild(header, me),
      members: header?.members.map(([user]) => user) ?? [],
      doors: header?.doors.map((door) => [door[0], this.#isFalse(door) ? null : door[1]]) ?? [],
      invites: header?.invites.map(({ code }) => code) ?? [],
      rules: header?.rules ?? null,
      at: header?.at ?? 0,
      dueAt: header === null ? Number.MAX_SAFE_INTEGER : dueAt(header),
      ...(header === null ? NOBODY : changesOf(header, me, cards)),
      by: header?.by ?? null,
      reason: header?.reason ?? '',
    };
  }

  #isFalse(door: Door): boolean {
    const keys = this.keys(door[2]);
    const known = this.#false.get(door) ?? (keys !== null && isFalseDoor(door, keys));
    if (keys !== null) this.#false.set(door, known);
    return known;
  }

  /**
   * Takes what the box serves, in any order. What does not read or does not fit the chain is not
   * taken, and costs nothing that is good; in the end it is an error.
   */
  async take(served: readonly Uint8Array[], ground: Judging): Promise<void> {
    const { bundles: read, refusal } = readBundles(served);
    const bundles = read
      .filter(({ header }) => header.room === this.room)
      .sort((a, b) => a.header.epoch - b.header.epoch);
    this.#noticeSplit(bundles);
    if (!this.#split && bundles.length > 0) {
      if (this.#head === 0) await this.#start(bundles, ground);
      this.#fillBack(bundles);
    }
    const unfit = this.#split ? null : await this.#followAll(bundles, ground);
    const cause = refusal ?? unfit;
    if (cause !== null) throw new SealingError(cause.message, { cause });
  }

  /** The first that may not follow, and why; what follows is taken. */
  async #followAll(bundles: readonly Bundle[], ground: Judging): Promise<Error | null> {
    let unfit: Error | null = null;
    for (const bundle of bundles) {
      if (bundle.header.epoch !== this.#head + 1) continue;
      try {
        await this.#follow(bundle, ground);
      } catch (error) {
        if (!isRefusal(error)) throw error;
        unfit ??= error;
      }
    }
    return unfit;
  }

  /** Of bundles, whether each is the one that was taken here, byte by byte. */
  accepted(served: readonly Uint8Array[]): boolean[] {
    const taken = [...this.#bundles.values()];
    return served.map((bytes) => taken.some((bundle) => equal(bundle.bytes, bytes)));
  }

  /** The same epoch with another header: somebody is shown another room. */
  #noticeSplit(bundles: readonly Bundle[]): void {
    const other = bundles.some(({ header, headerHash }) => {
      const known = this.#bundles.get(header.epoch);
      return known !== undefined && !equal(known.headerHash, headerHash);
    });
    if (other) this.#split = true;
  }

  async #start(bundles: readonly Bundle[], { cards, me, anchor, now }: Judging): Promise<void> {
    if (anchor.kind === 'none') {
      const newest = bundles.findLast(({ header }) => isListed(header, me));
      if (newest === undefined) return;
      const signer = signerOf(newest, bundles, cards);
      await verifyBundle(newest, signer.ed25519);
      this.#accept(newest, me);
      this.#pinAll(newest.header, { cards, me, now }, 'unverified', null);
      return;
    }
    const [epoch, hash] = anchor.head;
    const found = bundles.find(({ header }) => header.epoch === epoch);
    if (found === undefined || !equal(found.headerHash, hash)) {
      this.#split = true;
      return;
    }
    this.#accept(found, me);
    if (anchor.kind === 'invite') {
      const { by, byFingerprint } = anchor.blob;
      me.pin(by, byFingerprint, 'verified', null, Math.min(found.header.at, now), cards);
      this.#pinAll(found.header, { cards, me, now }, 'vouched', by);
    }
  }

  /** Everybody whom an epoch below this one has listed: nobody comes back by a proof. */
  listedBefore(epoch: number): Set<Id> {
    const older = [...this.#bundles.values()].filter(({ header }) => header.epoch < epoch);
    return new Set(older.flatMap(({ header }) => header.members.map(([user]) => user)));
  }

  async #follow(bundle: Bundle, { cards, me, now }: Judging): Promise<void> {
    const previous = this.head;
    if (previous === null) return;
    const signer = signerOf(bundle, [previous, bundle], cards);
    await checkNext(previous, bundle, signer, this.listedBefore(previous.header.epoch));
    this.#accept(bundle, me);
    // Whom it lists as the epoch before did is nobody's new word.
    const news = bundle.header.members.filter(([user, print]) => {
      const before = fingerprintOf(previous.header, user);
      return before === null || !equal(before, print) || !me.pins.has(user);
    });
    const listing = { ...bundle.header, members: news };
    this.#pinAll(listing, { cards, me, now }, 'vouched', bundle.header.by);
  }

  #accept(bundle: Bundle, me: Account): void {
    this.#bundles.set(bundle.header.epoch, bundle);
    this.#head = bundle.header.epoch;
    me.setHead(this.room, [bundle.header.epoch, bundle.headerHash]);
  }

  #pinAll(
    header: Header,
    { cards, me, now }: Pick<Judging, 'cards' | 'me' | 'now'>,
    state: 'unverified' | 'vouched',
    by: Id | null,
  ): void {
    for (const [user, print] of header.members) {
      const voucher = by === user ? null : by;
      // Whoever makes an epoch writes its time: one ahead would outrank what comes after.
      me.pin(user, print, state, voucher, Math.min(header.at, now), cards);
    }
  }

  /** Older headers are believed by the chain of hashes. */
  #fillBack(bundles: readonly Bundle[]): void {
    const byEpoch = new Map(bundles.map((bundle) => [bundle.header.epoch, bundle]));
    for (let epoch = this.#head; epoch > 1; epoch--) {
      const later = this.#bundles.get(epoch);
      const served = byEpoch.get(epoch - 1);
      if (later === undefined || this.#bundles.has(epoch - 1) || served === undefined) continue;
      if (!equal(served.headerHash, later.header.prev)) {
        this.#split = true;
        return;
      }
      this.#bundles.set(epoch - 1, served);
    }
  }

  /**
   * Opens what these identities open, newest first, and walks back from there. What opens in no way
   * stays closed: its maker's doing, and no error (protocol.md, "An epoch that does not open").
   */
  async open(me: Account, invites: readonly AgeIdentity[]): Promise<void> {
    for (let epoch = this.#head; epoch >= 1; epoch--) {
      const bundle = this.#bundles.get(epoch);
      if (bundle === undefined) continue;
      const keys = this.#keys.get(epoch) ?? (await openWith(bundle, me, invites));
      if (keys === null) continue;
      this.#keys.set(epoch, keys);
      this.#walkBack(bundle.header, keys);
    }
  }

  #walkBack(header: Header, keys: EpochKeys): void {
    if (this.#walked.has(header.epoch)) return;
    const step = stepBack(header, keys, (epoch) => this.#bundles.get(epoch)?.header);
    if (step === null) return;
    this.#keys.set(step.epoch, step.keys);
    this.#walked.add(header.epoch);
  }

  /** The newest secret that is here, for the next epoch to hand on; null: none. */
  newest(): EpochKeys | null {
    const epoch = Math.max(0, ...this.#keys.keys());
    return this.keys(epoch);
  }

  /** Whether this person can make the next epoch, though the head may not open. */
  #mayBuild(header: Header, me: Account): boolean {
    if (this.#split || me.listedIn(header) === null) return false;
    return this.newest() !== null || header.rules.history !== 'all';
  }
}

/** The keys in a bundle's age file; null: it does not open, or holds no secret of its epoch. */
async function openWith(
  bundle: Bundle,
  me: Account,
  invites: readonly AgeIdentity[],
): Promise<EpochKeys | null> {
  const mine = me.listedIn(bundle.header);
  for (const identity of [...(mine === null ? [] : [mine.age]), ...invites]) {
    try {
      return await openBundle(bundle, identity);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
  return null;
}

/** Whether a header lists me with the keys I have. */
export function isListed(header: Header, me: Account): boolean {
  const print = fingerprintOf(header, me.user);
  return print !== null && equal(print, me.fingerprint);
}

/** The card of a bundle's maker: the one listed before it, else in it. */
function signerOf(bundle: Bundle, known: readonly Bundle[], cards: Cards): Card {
  const { by, epoch } = bundle.header;
  const previous = known.find(({ header }) => header.epoch === epoch - 1);
  const listed = previous === undefined ? null : fingerprintOf(previous.header, by);
  const print = listed ?? fingerprintOf(bundle.header, by);
  const card = print === null ? null : cards.byPrint(print);
  if (card === null) {
    throw new SealingError(`the card ${print === null ? '' : hex(print).slice(0, 8)} is missing`);
  }
  return card;
}
