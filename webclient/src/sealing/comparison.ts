// Whether a person is who they seem: the digits that two people compare, and what came of it.
import { equal } from '../protocol/bytes';
import type { Id } from '../protocol/ids';
import type { Account } from './account';
import type { Cards } from './cards';
import { safetyNumber } from './identity';
import { SealingError } from './kdf';
import type { Comparison } from './requests';

/** The fingerprint in question: of the newest card, else the one that was pinned. */
function printOf(user: Id, me: Account, cards: Cards): Uint8Array | null {
  return cards.newest(user)?.fingerprint ?? me.pins.get(user)?.fingerprint ?? null;
}

export function comparisonOf(user: Id, me: Account, cards: Cards): Comparison | null {
  const print = printOf(user, me, cards);
  if (user === me.user || print === null) return null;
  const pin = me.pins.get(user);
  const same =
    pin !== undefined && (equal(pin.fingerprint, print) || cards.leads(pin.fingerprint, print));
  const state = pin === undefined ? null : same ? pin.state : 'changed';
  return { digits: safetyNumber(me.fingerprint, print), state };
}

/** Pins the card that these digits stand for as checked in person. */
export function markChecked(user: Id, digits: string, at: number, me: Account, cards: Cards): void {
  const print = printOf(user, me, cards);
  if (print === null || safetyNumber(me.fingerprint, print) !== digits) {
    throw new SealingError('the keys changed meanwhile: compare again');
  }
  me.pins.set(user, { fingerprint: print, state: 'verified', at, by: null });
  me.changed = true;
}
