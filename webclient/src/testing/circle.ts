// People's keyrings around one sealed room, and what a box serves them, true or not.
import { fromB64u, fromUtf8, utf8 } from '../protocol/bytes';
import { newId, type Id, type InviteCode } from '../protocol/ids';
import { OpenedStore } from '../local/opened_store';
import { memorySafe } from '../local/safe';
import { memoryShelf } from '../local/shelf';
import { makeBundle, parseBundle } from '../sealing/bundle';
import { makeCard } from '../sealing/card';
import { epochKeys, sealBack, type Header, type Rules } from '../sealing/epoch';
import type { Kind } from '../sealing/event';
import { fingerprint, identityOf } from '../sealing/identity';
import { Keyring } from '../sealing/keyring';
import type { KeyView, NextEpoch, Opened, ToSeal, Waiting } from '../sealing/requests';

export const random = (length: number): Uint8Array =>
  crypto.getRandomValues(new Uint8Array(length));
export const NOW = 1_760_000_000_000;
export const fresh = (): Id => newId(NOW, random(10));
export const COST = { memoryKib: 19_456, passes: 2, lanes: 1 };
export const SALT = new Uint8Array(16);
export const PRIVATE: Rules = { type: 'private', history: 'all', hints: false };

export interface Someone {
  readonly user: Id;
  readonly keys: Keyring;
  readonly card: Uint8Array;
  readonly sheet: string;
}

/** `shelf`: where their browser keeps what it opened. */
export async function person(user: Id = fresh(), shelf = memoryShelf()): Promise<Someone> {
  const keys = new Keyring(memorySafe(), random, new OpenedStore(shelf));
  await keys.stretch('password', SALT, COST);
  const { card, recoverySheet } = await keys.createIdentity(user, NOW);
  return { user, keys, card, sheet: recoverySheet };
}

/** What opened of a wire: its JSON, or why there is none. */
export const text = (opened: Opened | undefined): string =>
  opened?.kind === 'opened' ? fromUtf8(opened.body).trim() : (opened?.kind ?? 'nothing');

/** A room that `founder` made, and the bundles as an honest box would serve them. */
export class Circle {
  readonly room: Id;
  readonly founder: Someone;
  readonly served: Uint8Array[] = [];

  private constructor(founder: Someone, room: Id) {
    this.founder = founder;
    this.room = room;
  }

  static async found(founder: Someone, rules: Rules = PRIVATE): Promise<Circle> {
    const circle = new Circle(founder, fresh());
    circle.served.push(await founder.keys.foundRoom(circle.room, rules, NOW));
    await circle.show(founder);
    return circle;
  }

  /** The bundles so far, to somebody. */
  show({ keys }: Someone, bundles: readonly Uint8Array[] = this.served): Promise<KeyView> {
    return keys.takeBundles(this.room, bundles, 'box');
  }

  next(members: readonly Id[], change: Partial<NextEpoch> = {}): NextEpoch {
    const { room } = this;
    return { room, members, waiting: [], devices: [], reason: 'due', at: NOW, ...change };
  }

  /** An epoch by somebody who is listed, taken by the box. */
  async rotate(
    by: Someone,
    members: readonly Id[],
    change: Partial<NextEpoch> = {},
  ): Promise<Uint8Array> {
    const { bundle } = await by.keys.nextEpoch(this.next(members, change));
    this.served.push(bundle);
    await this.show(by);
    return bundle;
  }

  /** `by` makes an invite and `newcomer` opens its link, unlisted as yet. */
  async invite(
    by: Someone,
    newcomer: Someone,
    { uses = 1, expires = NOW + 9, members = [this.founder.user] } = {},
  ): Promise<InviteCode> {
    const rooms = [this.next(members, { reason: 'invite' })];
    const made = await by.keys.makeInvite({ rooms, by: by.user, expires, uses });
    this.served.push(...made.bundles.map(({ bundle }) => bundle));
    await this.show(by);
    await newcomer.keys.takeInvite(made.code, fromB64u(made.fragment));
    await newcomer.keys.readInvite(made.code, made.blob);
    await meet(by, newcomer);
    return made.code;
  }

  /** The newcomer as the box hands them out: a member with a proof. */
  async proofOf({ user, keys }: Someone, code: InviteCode): Promise<Waiting> {
    const proofs = await keys.joinProofs(code);
    const proof = proofs.find(({ room }) => room === this.room)?.proof;
    if (proof === undefined) throw new Error('the invite does not lead here');
    return { user, code, proof };
  }

  /** Invites somebody, lists them, and shows everyone the result. */
  async admit(newcomer: Someone, present: readonly Someone[]): Promise<void> {
    const { founder } = this;
    const members = present.map(({ user }) => user);
    const code = await this.invite(founder, newcomer, { members });
    for (const one of present) await meet(one, newcomer);
    await this.show(newcomer);
    const waiting = [await this.proofOf(newcomer, code)];
    await this.rotate(founder, [...members, newcomer.user], { waiting, reason: 'added' });
    for (const one of [...present, newcomer]) await this.show(one);
  }

  /** A message of theirs under the current epoch. */
  seal(by: Someone, seq: number, change: Partial<ToSeal> = {}): Promise<Uint8Array> {
    const body = utf8(JSON.stringify({ type: 'message', content: `${seq}` }));
    const kind: Kind = 1;
    const none = { target: null, notify: [] };
    const event = { room: this.room, id: fresh(), writer: 7, seq, kind, ...none, body };
    return by.keys.seal({ ...event, ...change });
  }

  async open(by: Someone, wires: readonly Uint8Array[]): Promise<string[]> {
    return (await by.keys.open(this.room, wires)).map(text);
  }
}

/** Both know the other's card, as the box serves it. */
export async function meet(one: Someone, other: Someone): Promise<void> {
  await one.keys.addCards(other.user, [other.card]);
  await other.keys.addCards(one.user, [one.card]);
}

/** The same bytes with one bit the other way. */
export function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const out = bytes.slice();
  const at = bit >> 3;
  out[at] = (out[at] ?? 0) ^ (1 << (bit & 7));
  return out;
}

/** Somebody with keys of their own who makes bundles by hand, as they like. */
export class Forger {
  readonly user = fresh();
  readonly identity = identityOf(random(32));
  readonly card = makeCard(this.identity, this.user, NOW);
  readonly fingerprint = fingerprint(this.user, this.identity.ed25519, this.identity.recipient);

  /** An epoch after this one, changed at will, with a secret of theirs, signed by them. */
  async after(previous: Uint8Array, change: Partial<Header>): Promise<Uint8Array> {
    const { header, headerHash } = parseBundle(previous);
    const keys = epochKeys(header.room, random(32));
    const epoch = header.epoch + 1;
    const back = header.rules.history === 'all' ? sealBack(keys, epoch, random(32), random) : null;
    const plain = { epoch, kid: keys.kid, prev: headerHash, joins: [], back, by: this.user };
    const next = { ...header, ...plain, ...change };
    return makeBundle(next, keys, [this.identity.recipient], this.identity.seed);
  }
}
