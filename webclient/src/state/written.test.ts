// What a person wrote: out once, in order, whatever breaks, and from whichever tab.
import { beforeEach, describe, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import { elapsing, FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, messages, settled, shows, type Founder } from '../testing/screens';

let clock: FakeClock;
let house: FakeHouse;

beforeEach(() => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
});

const founder = (): Promise<Founder> => foundHouse(house, clock);

describe('what was written', () => {
  const stored = (general: string): number => {
    const events = house.rooms.get(parseId(general))?.events ?? [];
    return events.filter((event) => event.class === 'event').length;
  };

  test('while the box was away goes out once, in order', async () => {
    const { app: ada, general } = await founder();
    house.down = true;
    house.cut();
    await until(ada, ({ connection }) => connection.kind === 'offline');
    for (const text of ['one', 'two', 'three']) await ada.send(text);
    expect(ada.state.waiting).toBe(3);
    expect(messages(ada.state).map(({ delivery }) => delivery.kind)).toEqual(
      Array(3).fill('queued'),
    );
    house.down = false;
    clock.elapse(60_000);
    const state = await until(ada, settled);
    expect(messages(state).map(({ text }) => text)).toEqual(['one', 'two', 'three']);
    expect(stored(general)).toBe(3);
  });

  test('is stored once when the acknowledgement was lost', async () => {
    const { app: ada, general } = await founder();
    house.faults.push({ kind: 'lose_ack' });
    await ada.send('once');
    await until(ada, ({ connection }) => connection.kind === 'offline');
    clock.elapse(60_000);
    await until(ada, (state) => settled(state) && shows('once')(state));
    await ada.send('next');
    await until(ada, (state) => settled(state) && shows('next')(state));
    expect(stored(general)).toBe(2);
    expect(ada.state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
  });

  test('cannot be taken back once it may be on the box, and the person is told', async () => {
    const { app: ada } = await founder();
    house.faults.push({ kind: 'lose_ack' });
    await ada.send('gone');
    await until(ada, ({ connection }) => connection.kind === 'offline');
    const waiting = await until(ada, (now) => messages(now)[0]?.delivery.kind === 'queued');
    await ada.discard(messages(waiting)[0]?.id ?? '');
    expect(ada.state.problem?.code).toBe('on_its_way');
    expect(messages(ada.state)).toHaveLength(1);
  });

  test('survives a crash between sending and the acknowledgement', async () => {
    const { app: ada, browser, general } = await founder();
    house.faults.push({ kind: 'lose_ack' });
    const sent = ada.send('crash');
    await sent;
    await until(ada, ({ connection }) => connection.kind === 'offline');
    await ada.send('after it');
    browser.crash();
    const again = await browser.open();
    await again.openRoom(general);
    const state = await until(again, (now) => settled(now) && shows('after it')(now));
    expect(messages(state).map(({ text }) => text)).toEqual(['crash', 'after it']);
    expect(stored(general)).toBe(2);
    expect(state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
  });

  test('is not on its way any more after a crash when the history kept here has it', async () => {
    const { app: ada, browser, general } = await founder();
    const { write } = browser.shelf;
    // The page ends when the echo is kept and the outbox does not know yet.
    browser.shelf.write = (writes) =>
      write(writes.filter((one) => !('remove' in one && one.remove === 'outbox')));
    house.faults.push({ kind: 'lose_ack' });
    await ada.send('there');
    await elapsing(clock, ada, (now) => settled(now) && shows('there')(now));
    browser.crash();
    browser.shelf.write = write;
    house.down = true;
    const again = await browser.open();
    expect(again.state.waiting).toBe(0);
    await again.openRoom(general);
    await until(again, shows('there'));
    house.down = false;
    await elapsing(clock, again, ({ connection }) => connection.kind === 'online');
    await again.send('next');
    const state = await until(again, (now) => settled(now) && shows('next')(now));
    expect(messages(state).map(({ text }) => text)).toEqual(['there', 'next']);
    expect(state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
  });

  test('too fast is later, not lost', async () => {
    const { app: ada } = await founder();
    house.faults.push({ kind: 'refuse', reason: 0x97, text: 'too_fast: wait a little' });
    await ada.send('patience');
    await until(
      ada,
      (state) => house.faults.length === 0 && messages(state)[0]?.delivery.kind === 'queued',
    );
    await elapsing(clock, ada, shows('patience'));
  });

  test('and refused says why, and can be tried again or taken back', async () => {
    const { app: ada, general } = await founder();
    house.faults.push({ kind: 'refuse', reason: 0x99, text: 'bad_event: no' });
    await ada.send('refused');
    const failed = await until(ada, (s) => messages(s)[0]?.delivery.kind === 'failed');
    const item = messages(failed)[0];
    expect(item?.delivery).toMatchObject({ problem: { code: 'bad_event', message: 'no' } });
    await ada.retry(item?.id ?? '');
    await until(ada, shows('refused'));
    house.faults.push({ kind: 'refuse', reason: 0x99, text: 'bad_event: no' });
    await ada.send('again');
    await until(ada, (s) => messages(s)[1]?.delivery.kind === 'failed');
    await ada.discard(messages(ada.state)[1]?.id ?? '');
    await until(ada, (s) => messages(s).length === 1);
    await ada.send('the next one');
    await until(ada, shows('the next one'));
    expect(stored(general)).toBe(2);
    expect(ada.state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
  });

  test('in a tab that follows goes out at once, by the one that leads', async () => {
    const { app: first, browser, general } = await founder();
    const second = await browser.open();
    await second.openRoom(general);
    await until(second, ({ connection }) => connection.kind === 'online');
    expect(first.state.connection).toMatchObject({ kind: 'refused', code: 'other_tab' });
    await first.send('from the tab that follows');
    await second.send('from the one that leads');
    await until(second, (now) => settled(now) && messages(now).length === 2);
    expect(stored(general)).toBe(2);
    first.takeOver();
    const state = await until(first, (now) => settled(now) && messages(now).length === 2);
    await first.send('and on');
    await until(first, shows('and on'));
    expect(messages(state).map(({ text }) => text)).toContain('from the tab that follows');
    expect(first.state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
    expect(stored(general)).toBe(3);
  });

  test('in one tab goes out from whichever tab leads, once, without a gap', async () => {
    const { app: first, browser, general } = await founder();
    const second = await browser.open();
    await until(first, ({ connection }) => connection.kind === 'refused');
    await first.send('from the tab that follows');
    const third = await browser.open();
    await third.openRoom(general);
    await until(third, shows('from the tab that follows'));
    first.takeOver();
    await until(first, shows('from the tab that follows'));
    await first.send('and on');
    const state = await until(first, (now) => settled(now) && shows('and on')(now));
    expect(state.currentRoom?.timeline.some(({ kind }) => kind === 'gap')).toBe(false);
    expect(stored(general)).toBe(2);
    expect(second.state.connection).toMatchObject({ kind: 'refused', code: 'other_tab' });
  });

  test('a draft survives reload', async () => {
    const { app: ada, browser, general } = await founder();
    ada.keepDraft(general, 'half a thou');
    await until(ada, () => true);
    browser.crash();
    const again = await browser.open();
    expect(again.draft(general)).toBe('half a thou');
  });
});
