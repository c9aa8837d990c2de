// A member who makes epochs by hand, as they like: good ones for the chain, whatever is in them.
import { concat } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import { memorySafe } from '../local/safe';
import { recipientOf, type Recipient } from '../sealing/agefile';
import { makeBundle, openBundle, parseBundle } from '../sealing/bundle';
import { makeCard, verifyCard } from '../sealing/card';
import { epochKeys, headerJson, sealBack, type Header, type Listed } from '../sealing/epoch';
import { identityOf } from '../sealing/identity';
import { ctx, lp, sha256 } from '../sealing/kdf';
import { Keyring } from '../sealing/keyring';
import { sign } from '../sealing/sign';
import { fresh, NOW, random, type Someone } from './circle';

/** A person as the box tells of them. */
export type Known = Pick<Someone, 'user' | 'card'>;

/** What of an honest epoch is made otherwise. */
export interface Crooked {
  readonly header?: Partial<Header>;
  /** In the place of the age file. */
  readonly file?: Uint8Array;
  /** Listed, and not sealed to. */
  readonly leaveOut?: Id;
}

export class Insider implements Someone {
  readonly user = fresh();
  readonly sheet = '';
  readonly #root = random(32);
  readonly #identity = identityOf(this.#root);
  readonly card = makeCard(this.#identity, this.user, NOW);
  readonly recipient = recipientOf(this.#identity.age);
  readonly keys: Keyring;

  private constructor(keys: Keyring) {
    this.keys = keys;
  }

  static async make(): Promise<Insider> {
    const safe = memorySafe();
    const insider = new Insider(new Keyring(safe, random));
    await safe.put('root', insider.#root);
    await insider.keys.wake(insider.user);
    return insider;
  }

  /** The epoch after the room's newest, for these people, with a change. */
  async after(
    { room, served }: { readonly room: Id; readonly served: readonly Uint8Array[] },
    people: readonly Known[],
    { header: change, file, leaveOut }: Crooked,
  ): Promise<Uint8Array> {
    const head = parseBundle(served.at(-1) ?? new Uint8Array());
    const before = await openBundle(head, this.#identity.age);
    const epoch = head.header.epoch + 1;
    const keys = epochKeys(room, random(32));
    const all = head.header.rules.history === 'all';
    const header: Header = {
      ...head.header,
      epoch,
      kid: keys.kid,
      prev: head.headerHash,
      members: await Promise.all(people.map(listed)),
      joins: [],
      back: all ? sealBack(keys, epoch, before.secret, random) : null,
      by: this.user,
      reason: 'due',
      ...change,
    };
    const sealed = people.filter(({ user }) => user !== leaveOut);
    const { seed } = this.#identity;
    const made = await makeBundle(header, keys, await recipients(...sealed), seed);
    if (file === undefined) return made;
    const json = headerJson(header);
    return concat(lp(json), lp(file), sign(seed, ctx('hearth/v1/epoch', json, sha256(file))));
  }
}

const listed = async ({ user, card }: Known): Promise<Listed> => [
  user,
  (await verifyCard(card)).fingerprint,
];

/** What is sealed to so that these people can open it. */
export const recipients = (...people: readonly Known[]): Promise<Recipient[]> =>
  Promise.all(people.map(async ({ card }) => (await verifyCard(card)).age));
