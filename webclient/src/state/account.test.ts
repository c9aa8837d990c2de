// An account from first to last against a box in memory: links, sheet, passwords, logins, pairing.
import { beforeEach, describe, expect, test } from 'vitest';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, openGeneral, shows, type Founder } from '../testing/screens';
import type { App, AppState } from './model';

const SECRET = 's'.repeat(64);
const OLD = 'correct horse';

let clock: FakeClock;
let house: FakeHouse;
let founder: Founder;
let sheet: string;

const door = ({ account }: AppState): string | null => account.door?.kind ?? null;

/** A browser where nobody ever was. */
const fresh = (): Browser => new Browser(house, clock);

async function reads(app: App, text: string): Promise<void> {
  await openGeneral(app);
  await until(app, shows(text));
}

/** ada's password by an admin's link, in a new browser. */
async function afterReset(browser = fresh()): Promise<App> {
  house.resets.set(SECRET, 'ada');
  const app = await browser.open('/reset', `#${SECRET}`);
  expect([app.state.phase, door(app.state)]).toEqual(['login', 'reset']);
  await app.account.reset('a new password');
  return app;
}

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  founder = await foundHouse(house, clock);
  await founder.app.send('dinner at seven');
  await until(founder.app, shows('dinner at seven'));
  const made = await founder.app.account.newSheet();
  sheet = made.identity;
});

describe('a link for a new password', () => {
  test('signs in, and says that the keys stay closed', async () => {
    const app = await afterReset();
    expect(app.state.account.door).toEqual({ kind: 'locked', name: 'ada' });
    expect(app.state.phase).toBe('login');
    await expect(
      fresh()
        .open()
        .then((again) => again.login({ name: 'ada', password: OLD })),
    ).rejects.toMatchObject({ code: 'wrong_login' });
  });

  test('is good once', async () => {
    await afterReset();
    const again = await fresh().open('/reset', `#${SECRET}`);
    await expect(again.account.reset('another one')).rejects.toMatchObject({ code: 'reset_gone' });
  });

  test('in a browser that still has the keys opens everything at once', async () => {
    founder.browser.crash();
    const app = await afterReset(founder.browser);
    expect([app.state.phase, door(app.state)]).toEqual(['ready', null]);
    await reads(app, 'dinner at seven');
    const other = await fresh().open();
    await other.login({ name: 'ada', password: 'a new password' });
    await reads(other, 'dinner at seven');
  });

  test('opened where somebody else is signed in leaves them signed in', async () => {
    house.users.set(house.newId(), {
      id: house.newId(),
      name: 'kid',
      login: {},
      profile: {},
      cards: [],
      vault: null,
      vaultVersion: 0,
    });
    house.resets.set(SECRET, 'kid');
    const app = await founder.browser.open('/reset', `#${SECRET}`);
    await app.account.reset('a new password');
    expect(app.state.account.door).toEqual({ kind: 'reset', done: 'kid' });
    expect((await founder.browser.open()).state).toMatchObject({ phase: 'ready' });
  });
});

describe('the keys are opened again', () => {
  const opens = async (app: App): Promise<void> => {
    await reads(app, 'dinner at seven');
    expect(door(app.state)).toBeNull();
    // From now on the new password alone is enough.
    const next = await fresh().open();
    await next.login({ name: 'ada', password: 'a new password' });
    await reads(next, 'dinner at seven');
  };

  test('by the sheet, however it was typed', async () => {
    const app = await afterReset();
    await app.account.openWithSheet(` ${sheet.toLowerCase().replace(/(.{6})/g, '$1 ')}\n`);
    await opens(app);
  });

  test('not by a sheet that was replaced, nor by a mistyped one', async () => {
    const { identity: newer } = await founder.app.account.newSheet();
    const app = await afterReset();
    const mistyped = newer.slice(0, -1) + (newer.endsWith('X') ? 'Y' : 'X');
    for (const code of [sheet, mistyped, 'AGE-SECRET-KEY-1', '']) {
      await expect(app.account.openWithSheet(code)).rejects.toMatchObject({ code: 'wrong_sheet' });
    }
    expect(door(app.state)).toBe('locked');
    await app.account.openWithSheet(newer);
    await opens(app);
  });

  test('by the password that they still lie under', async () => {
    const app = await afterReset();
    await expect(app.account.openWithOldPassword('no')).rejects.toMatchObject({
      code: 'wrong_password',
    });
    await app.account.openWithOldPassword(OLD);
    await opens(app);
  });

  test('by a browser that is still signed in', async () => {
    const app = await afterReset();
    await app.account.pairHere();
    const shown = app.state.account.door;
    if (shown?.kind !== 'pairing' || shown.pairing.step !== 'shown') throw new Error('no code');
    await founder.app.account.answerPairing(shown.pairing.link);
    await elapsing(clock, app, ({ account }) => {
      return account.door?.kind === 'pairing' && account.door.pairing.step === 'digits';
    });
    await founder.app.account.confirmPairing(true, 'new');
    await elapsing(clock, app, ({ phase }) => phase === 'ready');
    await opens(app);
  });

  test('or new ones are made: a new sheet, nothing of the old is readable yet', async () => {
    const app = await afterReset();
    await app.account.startAnew();
    expect(app.state.recoverySheet?.identity).toMatch(/^AGE-SECRET-KEY-1/);
    expect(app.state.recoverySheet?.identity).not.toBe(sheet);
    const next = await fresh().open();
    await next.login({ name: 'ada', password: 'a new password' });
    expect(next.state.phase).toBe('ready');
  });

  test('or one goes back, and the login that opened nothing is ended', async () => {
    const before = house.sessions.size;
    const app = await afterReset();
    await app.account.leaveDoor();
    expect([app.state.phase, door(app.state)]).toEqual(['login', null]);
    expect(house.sessions.size).toBe(before);
  });
});

describe('another password', () => {
  test('opens the keys on the next browser, and ends the other logins', async () => {
    const laptop = await fresh().open();
    await laptop.login({ name: 'ada', password: OLD });
    await openGeneral(laptop);
    await founder.app.account.changePassword(OLD, 'battery staple');
    expect(founder.app.state.account.logins?.map(({ current }) => current)).toEqual([true]);
    house.cut();
    await elapsing(clock, laptop, ({ phase }) => phase === 'login');
    expect(laptop.state.problem?.code).toBe('signed_out');
    await laptop.login({ name: 'ada', password: 'battery staple' });
    await reads(laptop, 'dinner at seven');
    const phone = await fresh().open();
    await phone.login({ name: 'ada', password: 'battery staple' });
    await reads(phone, 'dinner at seven');
  });

  test('is refused with a wrong old one, and nothing changed', async () => {
    await expect(founder.app.account.changePassword('no', 'battery staple')).rejects.toMatchObject({
      code: 'wrong_password',
    });
    // What this browser writes after that still lies under the old one.
    await founder.app.account.newSheet();
    const phone = await fresh().open();
    await phone.login({ name: 'ada', password: OLD });
    await reads(phone, 'dinner at seven');
  });

  test('changed elsewhere while this browser was away: nothing that was written is lost', async () => {
    const tablet = fresh();
    const away = await tablet.open();
    await away.login({ name: 'ada', password: OLD });
    await openGeneral(away);
    house.down = true;
    house.cut();
    await until(away, ({ connection }) => connection.kind !== 'online');
    await away.send('written in the garden');
    house.down = false;
    await founder.app.account.changePassword(OLD, 'battery staple');
    await elapsing(clock, away, ({ phase }) => phase === 'login');
    await away.login({ name: 'ada', password: 'battery staple' });
    await openGeneral(away);
    await until(away, shows('written in the garden'));
    await until(founder.app, shows('written in the garden'));
  });

  test('waits for a vault that another browser wrote meanwhile', async () => {
    const user = house.userByName('ada');
    if (user === undefined) throw new Error('nobody');
    const phone = await fresh().open();
    await phone.login({ name: 'ada', password: OLD });
    // Both write: the second is told of the conflict, merges and writes again.
    const [one, two] = await Promise.all([
      phone.account.newSheet(),
      founder.app.account.changePassword(OLD, 'battery staple').then(() => null),
    ]);
    expect([one.identity.length > 60, two]).toEqual([true, null]);
    const third = await fresh().open();
    await third.login({ name: 'ada', password: 'battery staple' });
    await reads(third, 'dinner at seven');
  });
});

describe('the list of logins', () => {
  test('names each browser, and ends one or all others', async () => {
    const [laptop, phone] = [await fresh().open(), await fresh().open()];
    for (const app of [laptop, phone]) await app.login({ name: 'ada', password: OLD });
    const { account } = founder.app;
    await account.load();
    const logins = founder.app.state.account.logins ?? [];
    expect(logins.map(({ current }) => current)).toEqual([true, false, false]);
    await account.endLogin(logins[1]?.id ?? '');
    expect(founder.app.state.account.logins).toHaveLength(2);
    await account.endOtherLogins();
    expect(founder.app.state.account.logins).toHaveLength(1);
  });
});

describe('a lost device', () => {
  test('is signed out, and reads nothing that is written afterwards', async () => {
    const lost = fresh();
    const phone = await lost.open();
    await phone.login({ name: 'ada', password: OLD });
    await reads(phone, 'dinner at seven');
    const { app } = founder;
    const epoch = app.state.currentRoom?.epoch ?? 0;
    await expect(app.account.lostDevice('no')).rejects.toMatchObject({ code: 'wrong_password' });
    expect(house.userByName('ada')?.cards).toHaveLength(1);
    await app.account.lostDevice(OLD);
    expect(house.userByName('ada')?.cards).toHaveLength(2);
    expect(app.state.account.logins).toHaveLength(1);
    const after = await until(app, ({ currentRoom }) => (currentRoom?.epoch ?? 0) > epoch);
    expect(after.currentRoom?.block).toBeNull();
    await app.send('under the new key');
    await until(app, shows('under the new key'));
    // The browser that comes back signs in again, and reads it all.
    const laptop = await fresh().open();
    await laptop.login({ name: 'ada', password: OLD });
    await reads(laptop, 'under the new key');
    await until(laptop, shows('dinner at seven'));
    // So does one that had the old keys, once its person signs in there.
    house.cut();
    await elapsing(clock, phone, ({ phase }) => phase === 'login');
    await phone.login({ name: 'ada', password: OLD });
    await reads(phone, 'under the new key');
  });
});

test('the profile changes for oneself and is shown at once', async () => {
  const { app } = founder;
  await app.account.load();
  expect(app.state.account.profile).toMatchObject({ name: 'ada', displayName: '' });
  await app.account.changeProfile({ displayName: 'Ada L.', statusText: 'cooking' });
  expect(app.state.account.profile).toMatchObject({ displayName: 'Ada L.', statusText: 'cooking' });
  expect(app.state.me?.displayName).toBe('Ada L.');
});
