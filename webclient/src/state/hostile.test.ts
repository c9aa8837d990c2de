// A box that lies about a sealed room: no word goes out in clear, no forged word is shown.
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { b64u, fromB64u } from '../protocol/bytes';
import { parseId, type Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import { parseBundle } from '../sealing/bundle';
import { makeCard } from '../sealing/card';
import { identityOf } from '../sealing/identity';
import type { Sealing } from '../sealing/requests';
import { openItems } from '../session/inbox';
import { Browser } from '../testing/browser';
import { elapsing, FakeClock, PATIENCE, until } from '../testing/clock';
import { Forger, random } from '../testing/circle';
import { FakeHouse, type FakeRoom } from '../testing/house';
import { Insider, type Crooked, type Known } from '../testing/insider';
import { foundHouse, openGeneral, settled, shows, type Founder } from '../testing/screens';

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
    await vi.waitFor(() => expect(founder?.vaultVersion).toBe(2), PATIENCE);
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

/** Somebody whom the box puts into the general room, and whom its members list. */
class Guest {
  readonly #insider: Insider;
  readonly #room: FakeRoom;
  readonly #people: readonly Known[];

  private constructor(insider: Insider, room: FakeRoom, people: readonly Known[]) {
    this.#insider = insider;
    this.#room = room;
    this.#people = people;
  }

  static async enter(general: string, { app }: Founder): Promise<Guest> {
    const [insider, room] = [await Insider.make(), house.rooms.get(parseId(general))];
    const ada = house.userByName('ada');
    if (room === undefined || ada === undefined) throw new Error('no room');
    const { user, card } = insider;
    house.users.set(user, { ...ada, id: user, name: 'mallory', cards: [b64u(card)], vault: null });
    room.members.set(user, 'member');
    house.line(room, { type: 'joined', user });
    await elapsing(clock, app, ({ currentRoom }) =>
      Boolean(
        currentRoom?.members.some(({ person, key }) => person.id === user && key === 'listed'),
      ),
    );
    const known = { user: ada.id, card: fromB64u(ada.cards[0] ?? '') };
    return new Guest(insider, room, [known, insider]);
  }

  get user(): Id {
    return this.#insider.user;
  }

  /** Their epoch, which an honest box cannot look into. */
  async post(change: Crooked): Promise<void> {
    const { id: room, bundles: served } = this.#room;
    const bundle = await this.#insider.after({ room, served }, this.#people, change);
    house.addBundle(this.#room, bundle, this.#insider.user);
  }
}

describe('a member who makes epochs of no use', () => {
  const crooked: readonly (readonly [string, Crooked])[] = [
    ['with a way back that leads nowhere', { header: { back: Uint8Array.of(0) } }],
    ['that open for nobody', { file: Uint8Array.of(1, 2, 3) }],
  ];

  test.each(crooked)('%s locks nobody out, before or after a reload', async (_name, change) => {
    const founder = await foundHouse(house, clock);
    const { app, browser, general } = founder;
    await app.send('before');
    await until(app, shows('before'));
    const guest = await Guest.enter(general, founder);
    await guest.post(change);
    await app.send('after');
    await elapsing(clock, app, (state) => shows('after')(state) && settled(state));
    await guest.post(change);
    browser.crash();
    const again = await browser.open();
    expect(again.state.phase).toBe('ready');
    await again.openRoom(general);
    await again.send('and again');
    const all = (state: typeof app.state): boolean =>
      ['before', 'after', 'and again'].every((text) => shows(text)(state));
    await elapsing(clock, again, (state) => all(state) && settled(state));
  });
});

test('an epoch of a time far ahead is followed by one of its own time', async () => {
  const founder = await foundHouse(house, clock);
  const { app, general } = founder;
  const guest = await Guest.enter(general, founder);
  await guest.post({ header: { at: Number.MAX_SAFE_INTEGER } });
  const room = house.rooms.get(parseId(general));
  Object.assign(room ?? {}, { rotationDue: true });
  await app.send('what time is it?');
  await elapsing(clock, app, (state) => shows('what time is it?')(state) && settled(state));
  const head = parseBundle(room?.bundles.at(-1) ?? new Uint8Array()).header;
  expect(head.at).toBeLessThanOrEqual(clock.now());
});

test('a card that does not read holds up no epoch', async () => {
  const founder = await foundHouse(house, clock);
  const { app, general } = founder;
  const guest = await Guest.enter(general, founder);
  const user = house.users.get(guest.user);
  const [room, before] = [house.rooms.get(parseId(general)), [...(user?.cards ?? [])]];
  const bad = b64u(makeCard(identityOf(random(32)), guest.user, 2 ** 60));
  for (const cards of [[...before, bad], [bad]]) {
    user?.cards.splice(0, user.cards.length, ...cards);
    Object.assign(room ?? {}, { rotationDue: true });
    await app.send(`with ${cards.length}`);
    await elapsing(clock, app, (state) => shows(`with ${cards.length}`)(state) && settled(state));
  }
});

describe('epochs that were refused', () => {
  test('are not kept, and cost neither the start nor the room', async () => {
    const { app, browser, general } = await foundHouse(house, clock);
    const room = house.rooms.get(parseId(general));
    const last = room?.bundles.at(-1) ?? new Uint8Array();
    const forged = await new Forger().after(last, { by: parseBundle(last).header.by });
    for (const bad of [forged, Uint8Array.of(1, 2), last.slice(0, -1)]) {
      room?.bundles.push(bad);
      house.cut();
      const told = await elapsing(clock, app, ({ problem }) => problem !== null);
      expect(told.problem?.message).toBeTruthy();
      app.dismissProblem();
      room?.bundles.pop();
    }
    const kept = await browser.shelf.list('bundles', { prefix: `${general}/` });
    expect(kept).toEqual(room?.bundles);
    const again = await browser.open();
    expect(again.state.phase).toBe('ready');
    await openGeneral(again);
    await again.send('still here');
    await elapsing(clock, again, (state) => shows('still here')(state) && settled(state));
  });

  test('and were kept by an older version, cost neither', async () => {
    const { browser, general } = await foundHouse(house, clock);
    const last = house.rooms.get(parseId(general))?.bundles.at(-1) ?? new Uint8Array();
    const bad = [
      await new Forger().after(last, { by: parseBundle(last).header.by }),
      Uint8Array.of(1),
      last.slice(0, -1),
    ];
    await browser.shelf.write(
      bad.map((value, n) => ({ put: 'bundles', key: `${general}/000000000${n + 2}`, value })),
    );
    const again = await browser.open();
    expect(again.state.phase).toBe('ready');
    await openGeneral(again);
    await again.send('still here');
    await elapsing(clock, again, (state) => shows('still here')(state) && settled(state));
  });
});
