// The screens of one's own account, before and after signing in.
import type { Door, Handing, NewBrowser } from '../../state/account_model';
import { accountAt } from './fake_account';
import { FakeApp } from './fake_app';

const day = 24 * 60 * 60_000;
const link = `https://hearth.local/pair#${'k7Q2mXw9ZpL4tR8v'.repeat(4)}`;
const typed = 'K7Q2MXW3ZPL4TR6VN3SYB6HCJ2DF5GA7EUIOQWXTZV';

function at(door: Door): (now: number) => FakeApp {
  return (now) => new FakeApp(now, { phase: 'login', account: accountAt(now, door) });
}

const pairing =
  (step: (now: number) => NewBrowser) =>
  (now: number): FakeApp =>
    at({ kind: 'pairing', pairing: step(now) })(now);

const handing =
  (step: Handing) =>
  (now: number): FakeApp =>
    new FakeApp(now, { account: { ...accountAt(now), handing: step } });

/** Each makes an application that shows one screen. */
export const accountScenes: Readonly<Record<string, (now: number) => FakeApp>> = {
  reset: at({ kind: 'reset', done: null }),
  'reset-elsewhere': at({ kind: 'reset', done: 'mila' }),
  locked: at({ kind: 'locked', name: 'anna' }),
  'pair-here': pairing((now) => ({ step: 'shown', link, typed, endsAt: now + 118_000 })),
  'pair-digits': pairing((now) => ({ step: 'digits', digits: '048213', endsAt: now + 70_000 })),
  'pair-failed': pairing(() => ({ step: 'failed', code: 'refused' })),
  visit: (now) =>
    new FakeApp(now, {
      phase: 'join',
      invitation: {
        code: '7KQ4MZ2XPW',
        house: 'The Lindens',
        inviter: 'Anna',
        rooms: ['Garden party'],
        expiresAt: now + 2 * day,
        guestUntil: now + 3 * day,
        visit: true,
      },
    }),
  'let-digits': handing({ step: 'digits', digits: '048213' }),
  'let-failed': handing({ step: 'failed', code: 'other_key' }),
};
