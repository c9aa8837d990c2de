// What is told live: who writes, who has read how far; deletion for everyone, in both kinds of rooms.
import { beforeEach, describe, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import { live } from '../protocol/topic';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, messages, openGeneral, settled, shows } from '../testing/screens';
import type { App, AppState } from './model';

let clock: FakeClock;
let house: FakeHouse;

beforeEach(() => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
});

interface Two {
  readonly ada: App;
  readonly ben: App;
  readonly adas: Browser;
  readonly bens: Browser;
  readonly general: string;
}

async function two(): Promise<Two> {
  const { app: ada, browser: adas, general } = await foundHouse(house, clock);
  const { link } = await ada.makeInvite(general, 3);
  const url = new URL(link);
  const bens = new Browser(house, clock);
  const ben = await bens.open(url.pathname, url.hash);
  await ben.join({ name: 'ben', password: 'battery staple' });
  await openGeneral(ben);
  const both = ({ currentRoom }: AppState): boolean =>
    currentRoom?.members.length === 2 && currentRoom.members.every(({ key }) => key === 'listed');
  await Promise.all([until(ada, both), until(ben, both)]);
  return { ada, ben, adas, bens, general };
}

const writing = (state: AppState): string =>
  (state.currentRoom?.typing ?? []).map(({ name }) => name).join();

describe('who is writing', () => {
  test('is told sealed, ends after five seconds, or with the message', async () => {
    const { ada, ben } = await two();
    ada.typing(true);
    await until(ben, (state) => writing(state) === 'ada');
    expect(writing(ada.state)).toBe('');
    clock.elapse(5_000);
    await until(ben, (state) => writing(state) === '');
    ada.typing(true);
    await until(ben, (state) => writing(state) === 'ada');
    await ada.send('there');
    await until(ben, (state) => shows('there')(state) && writing(state) === '');
  });

  test('is taken back, and not told twice within three seconds', async () => {
    const { ada, ben, general } = await two();
    let told = 0;
    const payloads: Uint8Array[] = [];
    house.listen((topic, payload) => {
      if (!topic.includes('/live/')) return;
      told += 1;
      payloads.push(payload);
    });
    for (let n = 0; n < 3; n++) ada.typing(true);
    await until(ben, (state) => writing(state) === 'ada');
    expect(told).toBe(1);
    ada.typing(false);
    await until(ben, (state) => writing(state) === '');
    // Neither in clear nor under somebody else's topic.
    expect(Buffer.from(payloads[0] ?? []).toString('latin1')).not.toContain('typing');
    const member = parseId(ben.state.me?.id ?? '');
    const room = parseId(general);
    house.tell(live(room, parseId(ada.state.me?.id ?? '')), new TextEncoder().encode('{}'));
    house.tell(live(room, member), payloads[0] ?? new Uint8Array());
    ada.typing(true);
    await until(ben, (state) => writing(state) === 'ada');
    expect(writing(ada.state)).toBe('');
  });
});

test('a live notice that the box stores as an event is nobody’s message', async () => {
  const { ada, ben, general } = await two();
  const payloads: Uint8Array[] = [];
  house.listen((topic, payload) => {
    if (topic.includes('/live/')) payloads.push(payload);
  });
  ada.typing(true);
  await until(ben, (state) => writing(state) === 'ada');
  const room = house.rooms.get(parseId(general));
  const [payload] = payloads;
  if (room === undefined || payload === undefined) throw new Error('nothing was told');
  house.store(room, 'event', parseId(ada.state.me?.id ?? ''), payload);
  const stubs = ({ currentRoom }: AppState): unknown[] =>
    (currentRoom?.timeline ?? []).flatMap((item) => (item.kind === 'stub' ? [item.reason] : []));
  await until(ben, (state) => stubs(state).length === 1);
  expect(stubs(ben.state)).toEqual(['unknown']);
});

describe('read positions', () => {
  test('make the ticks of one’s own messages, with who has read', async () => {
    const { ada, ben, bens } = await two();
    bens.look(false);
    await ada.send('seen?');
    await until(ben, shows('seen?'));
    // The ticks follow the own echo; the box's word that it is stored may come first.
    const echoed = (one: AppState): boolean => messages(one).at(-1)?.reach !== null;
    const before = messages(await until(ada, (one) => settled(one) && echoed(one))).at(-1);
    expect(before?.reach).toMatchObject({ kind: 'stored', readBy: [] });
    expect(ben.state.currentRoom?.room.unread).toBe(1);
    bens.look(true);
    await until(ben, (state) => state.currentRoom?.room.unread === 0);
    const isRead = (one: AppState): boolean => messages(one).at(-1)?.reach?.kind === 'read';
    const state = await elapsing(clock, ada, isRead);
    expect(
      messages(state)
        .at(-1)
        ?.reach?.readBy.map(({ name }) => name),
    ).toEqual(['ben']);
  });

  test('draw the line of what is new where the person left off', async () => {
    const { ada, ben, bens } = await two();
    await ada.send('one');
    const watched = await until(ben, shows('one'));
    // What comes while one looks is not new.
    expect(watched.currentRoom?.readTo).toBe(messages(watched)[0]?.position);
    bens.look(false);
    await ada.send('two');
    await until(ben, shows('two'));
    bens.look(true);
    const state = await until(ben, (one) => one.currentRoom?.room.unread === 0);
    const [first, second] = messages(state);
    expect(state.currentRoom?.readTo).toBeGreaterThanOrEqual(first?.position ?? Infinity);
    expect(state.currentRoom?.readTo).toBeLessThan(second?.position ?? 0);
  });

  test('read in one browser is read in the other', async () => {
    const { ada, ben, bens, general } = await two();
    await ada.send('before');
    await until(ben, shows('before'));
    const phone = await new Browser(house, clock).open();
    await phone.login({ name: 'ben', password: 'battery staple' });
    const rooms = (state: AppState): number | undefined =>
      state.rooms.find(({ id }) => id === general)?.unread;
    await until(phone, (state) => state.rooms[0]?.lastText === 'before');
    bens.look(false);
    await ada.send('look, @ben');
    await until(ben, shows('look, @ben'));
    await until(phone, (state) => (rooms(state) ?? 0) > 0);
    expect(phone.state.rooms.find(({ id }) => id === general)?.mentions).toBe(1);
    bens.look(true);
    await until(ben, (state) => rooms(state) === 0);
    await elapsing(clock, phone, (state) => rooms(state) === 0);
  });
});

describe('deleting', () => {
  test('in a sealed room erases for everyone, here too', async () => {
    const { ada, ben, bens, general } = await two();
    await ada.send('soup');
    const target = messages(await until(ben, shows('soup')))[0]?.id ?? '';
    await until(ada, settled);
    await ada.remove(target);
    const gone = await until(ben, (state) => messages(state)[0]?.deleted === true);
    expect(messages(gone)[0]).toMatchObject({ text: '', deletedBy: { name: 'ada' } });
    await until(ben, ({ rooms }) => rooms[0]?.lastText === null);
    // A reload finds nothing of it in what the browser kept.
    bens.crash();
    house.down = true;
    const again = await bens.open();
    await again.openRoom(general);
    const kept = await until(again, (state) => messages(state).length === 1);
    expect(messages(kept)[0]).toMatchObject({ deleted: true, text: '' });
  });

  test('what never went out is only taken back', async () => {
    const { ada } = await two();
    house.down = true;
    house.cut();
    await ada.send('never mind');
    const id = messages(await until(ada, (state) => state.waiting === 1))[0]?.id ?? '';
    await ada.remove(id);
    await until(ada, (state) => state.waiting === 0 && messages(state).length === 0);
  });

  test('without the box says so, and nothing is shown as deleted', async () => {
    const { ada } = await two();
    await ada.send('soup');
    const id = messages(await until(ada, shows('soup')))[0]?.id ?? '';
    await until(ada, settled);
    house.down = true;
    await expect(ada.remove(id)).rejects.toMatchObject({ code: 'offline' });
    expect(messages(ada.state)[0]?.deleted).toBe(false);
  });
});

test('a reply carries whom it answers and whom it names', async () => {
  const { ada, ben } = await two();
  await ada.send('dinner?');
  const target = messages(await until(ben, shows('dinner?')))[0]?.id ?? '';
  await ben.send('yes @ada', target);
  const state = await until(ada, shows('yes @ada'));
  expect(messages(state)[1]).toMatchObject({
    mentionsMe: true,
    quote: { kind: 'message', text: 'dinner?', sender: { name: 'ada' } },
  });
});
