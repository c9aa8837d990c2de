// Whose keys are believed: what is pinned, what its own keys signed on to, what a person accepts (§1).
import { equal } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import type { Account } from './account';
import type { Card } from './card';
import type { Cards } from './cards';
import type { Header, Listed } from './epoch';
import { SealingError } from './kdf';
import type { Trust } from './requests';

/**
 * The card to list somebody with. `listed`: the fingerprint of the epoch before, null for who is
 * new. Null: the box offers keys that are not the believed ones, or none.
 */
export function cardFor(
  user: Id,
  listed: Uint8Array | null,
  me: Account,
  cards: Cards,
): Card | null {
  const pin = me.pins.get(user);
  // A change that this person has not accepted changes nothing that they list.
  const pinned = pin === undefined || pin.state === 'changed' ? null : pin.fingerprint;
  if (listed !== null) return cards.current(user, pinned ?? listed);
  if (pin === undefined) return cards.newest(user);
  const card = pinned === null ? null : cards.current(user, pinned);
  // Keys that the box no longer hands out are not theirs any more, as far as anybody can tell.
  return card !== null && cards.of(user).includes(card) ? card : null;
}

/** Whose keys in an epoch are over, and whose changed. */
export interface Changes {
  readonly behind: readonly Id[];
  readonly changed: readonly Id[];
}

export const NOBODY: Changes = { behind: [], changed: [] };

/** Who is listed with keys that do not count any more, or with changed ones not accepted here. */
export function changesOf(header: Header, me: Account, cards: Cards): Changes {
  const { members } = header;
  const isBehind = ([user, print]: Listed): boolean => {
    if (user === me.user) return me.listedIn(header) !== null && !equal(print, me.fingerprint);
    const card = cardFor(user, print, me, cards);
    return card !== null && !equal(card.fingerprint, print);
  };
  const isChanged = ([user, print]: Listed): boolean => {
    const pin = me.pins.get(user);
    return pin?.state === 'changed' && equal(pin.fingerprint, print);
  };
  const users = (which: (listed: Listed) => boolean): Id[] =>
    members.filter(which).map(([user]) => user);
  return { behind: users(isBehind), changed: users(isChanged) };
}

/** The newest card that the box gives of somebody, where it is not one that is believed. */
function offered(user: Id, me: Account, cards: Cards): Card | null {
  const newest = cards.newest(user);
  const pin = me.pins.get(user);
  if (newest === null || pin === undefined) return null;
  const { fingerprint } = newest;
  const known = equal(pin.fingerprint, fingerprint) || cards.leads(pin.fingerprint, fingerprint);
  return known ? null : newest;
}

/** What is known of everybody who is pinned. */
export function trustOf(me: Account, cards: Cards): Map<Id, Trust> {
  return new Map(
    [...me.pins].map(([user, { state, at, by }]): [Id, Trust] => {
      const news = offered(user, me, cards);
      return [user, { state, at, by, offered: news === null ? null : news.created }];
    }),
  );
}

/** A person's tap: the changed keys of somebody are theirs, as far as anybody knows. */
export function acceptKeys(user: Id, at: number, me: Account, cards: Cards): void {
  const pin = me.pins.get(user);
  const news = offered(user, me, cards);
  const changed = news === null && pin?.state === 'changed';
  const print = changed ? pin.fingerprint : news?.fingerprint;
  if (print === undefined) throw new SealingError('there are no new keys to accept');
  const by = changed ? pin.by : null;
  const state = by === null ? 'unverified' : 'vouched';
  me.pins.set(user, { fingerprint: print, state, at, by });
  me.changed = true;
}
