// The account's actions without a box, for looking at the screens.
import type { AccountActions, AccountState, Door } from '../../state/account_model';
import type { RecoverySheet } from '../../state/model';

const day = 24 * 60 * 60_000;
const nothing = (): Promise<void> => Promise.resolve();

/** An account as it is at `now`. */
export function accountAt(now: number, door: Door | null = null): AccountState {
  return {
    door,
    profile: {
      name: 'anna',
      displayName: 'Anna',
      statusText: 'At the stove',
      presence: 'online',
      avatar: null,
      guestUntil: null,
    },
    logins: [
      {
        id: 'l-1',
        label: 'Firefox on Linux',
        createdAt: now - 30 * day,
        lastSeen: now,
        current: true,
      },
      {
        id: 'l-2',
        label: 'Chrome on Android',
        createdAt: now - 12 * day,
        lastSeen: now - day / 3,
        current: false,
      },
      {
        id: 'l-3',
        label: 'hearth on the kitchen box',
        createdAt: now - 200 * day,
        lastSeen: now - 45 * day,
        current: false,
      },
    ],
    tokens: [
      {
        id: 't-1',
        label: 'Shopping list script',
        createdAt: now - 90 * day,
        lastUsedAt: now - day,
        access: 'write',
        rooms: ['r-home'],
      },
      {
        id: 't-2',
        label: 'Backup of my messages',
        createdAt: now - 10 * day,
        lastUsedAt: 0,
        access: 'read',
        rooms: null,
      },
    ],
    handing: null,
  };
}

export const fakeSheet = (house: string, name: string, createdAt: number): RecoverySheet => ({
  house,
  name,
  identity: 'AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSVC8ZSK',
  createdAt,
});

export const fakeAccount: AccountActions = {
  reset: nothing,
  visit: nothing,
  openWithSheet: () => Promise.reject({ code: 'wrong_sheet', message: '', hint: '' }),
  openWithOldPassword: nothing,
  startAnew: nothing,
  pairHere: nothing,
  leaveDoor: nothing,
  load: nothing,
  changeProfile: nothing,
  changePicture: nothing,
  changePassword: () => Promise.reject({ code: 'wrong_password', message: '', hint: '' }),
  newSheet: () => Promise.resolve(fakeSheet('The Lindens', 'anna', Date.now())),
  endLogin: nothing,
  endOtherLogins: nothing,
  lostDevice: nothing,
  makeToken: () => Promise.resolve('hearth_app_4uQm2xw9ZpL4tR8vN3sYb6HcJ1dF5gA0'),
  endToken: nothing,
  answerPairing: nothing,
  confirmPairing: nothing,
  endPairing: () => undefined,
};
