// A box that lies about a sealed room: no word goes out in clear, no forged word is shown.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { parseId } from '../protocol/ids';
import type { Item } from '../protocol/item';
import type { Sealing } from '../sealing/requests';
import { openItems } from '../session/inbox';
import { Browser } from '../testing/browser';
import { FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, settled, shows } from '../testing/screens';

let clock: FakeClock;
let house: FakeHouse;

beforeEach(() => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
});

/** The box says from now on that the room is open. */
function lie(general: string): void {
  Object.assign(house.rooms.get(parseId(general)) ?? {}, { sealing: 'open' });
}

/** Whether any byte that the room stores is this text in clear. */
function inClear(general: string, text: string): boolean {
  const events = house.rooms.get(parseId(general))?.events ?? [];
  return events.some(({ bytes }) => new TextDecoder().decode(bytes).includes(text));
}

describe('a box that says a sealed room is open', () => {
  test('gets nothing in clear of what was written before, nor after', async () => {
    const { app: ada, general } = await foundHouse(house, clock);
    house.down = true;
    house.cut();
    await until(ada, ({ connection }) => connection.kind === 'offline');
    await ada.send('the key is under the mat');
    lie(general);
    house.down = false;
    clock.elapse(60_000);
    await until(ada, ({ connection }) => connection.kind === 'online');
    expect(ada.state.currentRoom?.room.sealing).toBe('sealed');
    await ada.send('and the cat is out');
    clock.elapse(60_000);
    expect(inClear(general, 'under the mat')).toBe(false);
    expect(inClear(general, 'the cat')).toBe(false);
  });

  test('is not believed by a new browser whose vault knows the room', async () => {
    const { app: ada, general } = await foundHouse(house, clock);
    await ada.send('hello');
    await until(ada, (state) => settled(state) && shows('hello')(state));
    const founder = [...house.users.values()][0];
    clock.elapse(60_000);
    await vi.waitFor(() => expect(founder?.vaultVersion).toBe(2));
    lie(general);
    const phone = await new Browser(house, clock).open();
    await phone.login({ name: 'ada', password: 'correct horse' });
    const state = await until(phone, ({ rooms }) => rooms.length > 0);
    expect(state.rooms[0]?.sealing).toBe('sealed');
  });
});

test('an event in clear among a sealed room\u2019s is nobody\u2019s word', async () => {
  const id = parseId('01890000-0000-7000-8000-000000000001');
  const forged: Item = {
    kind: 'open',
    position: 1,
    receivedAt: 1,
    id,
    sender: id,
    device: null,
    content: {
      type: 'event',
      event: {
        id,
        at: 1,
        body: { type: 'message', content: 'I, Anna', parentId: null },
      },
    } as Extract<Item, { kind: 'open' }>['content'],
  };
  const none = {} as Sealing;
  const [sealed] = await openItems(id, [forged], none, true);
  expect(sealed).toMatchObject({ kind: 'stub', sender: null, reason: 'other_key' });
  const [open] = await openItems(id, [forged], none, false);
  expect(open).toMatchObject({ kind: 'event', sender: id });
});
