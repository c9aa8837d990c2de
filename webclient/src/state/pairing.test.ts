// Pairing a new browser: digits on both, a middle man, a wrong code, time that runs out.
import { x25519 } from '@noble/curves/ed25519.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, openGeneral, shows, type Founder } from '../testing/screens';
import type { NewBrowser } from './account_model';
import type { App } from './model';

let clock: FakeClock;
let house: FakeHouse;
let ada: Founder;
let phone: App;

const step = (app: App): NewBrowser | null =>
  app.state.account.door?.kind === 'pairing' ? app.state.account.door.pairing : null;

async function shown(): Promise<Extract<NewBrowser, { step: 'shown' }>> {
  await phone.account.pairHere();
  const at = step(phone);
  if (at?.step !== 'shown') throw new Error('no code is shown');
  return at;
}

const digits = (): Promise<unknown> => elapsing(clock, phone, () => step(phone)?.step === 'digits');

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  ada = await foundHouse(house, clock);
  await ada.app.send('dinner at seven');
  await until(ada.app, shows('dinner at seven'));
  phone = await new Browser(house, clock).open();
});

describe.each(['link', 'typed'] as const)('by the %s', (form) => {
  test('both show the same six digits, and a yes lets the new browser in', async () => {
    await ada.app.account.answerPairing((await shown())[form]);
    await digits();
    expect(step(phone)).toMatchObject(ada.app.state.account.handing ?? {});
    expect(step(phone)).toMatchObject({ digits: expect.stringMatching(/^\d{6}$/) });
    await ada.app.account.confirmPairing(true, 'phone');
    expect(ada.app.state.account.handing).toEqual({ step: 'done' });
    await elapsing(clock, phone, ({ phase }) => phase === 'ready');
    await openGeneral(phone);
    await until(phone, shows('dinner at seven'));
    await phone.send('from the phone');
    await until(ada.app, shows('from the phone'));
    await ada.app.account.load();
    expect(ada.app.state.account.logins?.map(({ label }) => label)).toEqual(['test', 'phone']);
  });

  test('a middle man at the box gets nothing, whatever the person says', async () => {
    const mallory = x25519.utils.randomSecretKey();
    const heard: Uint8Array[] = [];
    house.between = (message, n) => {
      heard.push(message);
      return n === 2 ? x25519.getPublicKey(mallory) : message;
    };
    await ada.app.account.answerPairing((await shown())[form]);
    await digits();
    const theirs = ada.app.state.account.handing;
    expect(theirs?.step).toBe('digits');
    expect(step(phone)).not.toMatchObject(theirs ?? {});
    await ada.app.account.confirmPairing(true, 'phone');
    await elapsing(clock, phone, () => step(phone)?.step === 'failed');
    expect(step(phone)).toEqual({ step: 'failed', code: 'damaged' });
    expect(phone.state.phase).toBe('login');
    expect(heard).toHaveLength(3);
  });
});

test('a middle man who shows another key than was typed is refused', async () => {
  const mallory = x25519.getPublicKey(x25519.utils.randomSecretKey());
  house.between = (message, n) => (n === 1 ? mallory : message);
  const { typed } = await shown();
  await ada.app.account.answerPairing(typed);
  expect(ada.app.state.account.handing).toEqual({ step: 'failed', code: 'other_key' });
});

test('a key of small order is refused on both sides', async () => {
  house.between = (message, n) => (n === 2 ? new Uint8Array(32) : message);
  await ada.app.account.answerPairing((await shown()).link);
  await elapsing(clock, phone, () => step(phone)?.step === 'failed');
  expect(step(phone)).toEqual({ step: 'failed', code: 'damaged' });
  const nothing = `https://hearth.local/pair#${'A'.repeat(64)}`;
  await ada.app.account.answerPairing(nothing);
  expect(ada.app.state.account.handing).toMatchObject({ step: 'failed' });
});

test('digits that differ end it on both sides', async () => {
  await ada.app.account.answerPairing((await shown()).typed);
  await digits();
  await ada.app.account.confirmPairing(false, 'phone');
  expect(ada.app.state.account.handing).toEqual({ step: 'failed', code: 'refused' });
  await elapsing(clock, phone, () => step(phone)?.step === 'failed');
  expect(step(phone)).toEqual({ step: 'failed', code: 'refused' });
});

test('after two minutes both say that the time is over, and no login is left', async () => {
  const { typed } = await shown();
  await ada.app.account.answerPairing(typed);
  await digits();
  clock.elapse(120_000);
  await ada.app.account.confirmPairing(true, 'phone');
  expect(ada.app.state.account.handing).toEqual({ step: 'failed', code: 'timed_out' });
  expect(ada.app.state.account.logins).toHaveLength(1);
  await ada.app.account.answerPairing(typed);
  expect(ada.app.state.account.handing?.step).toBe('failed');
});

test('a mistyped code says so before the box is asked', async () => {
  await ada.app.account.answerPairing('no such code');
  expect(ada.app.state.account.handing).toEqual({ step: 'failed', code: 'mistyped' });
});

test('a code that was answered once is not answered again', async () => {
  const { typed } = await shown();
  await ada.app.account.answerPairing(typed);
  await ada.app.account.answerPairing(typed);
  expect(ada.app.state.account.handing).toEqual({ step: 'failed', code: 'gone' });
});
