// Public rooms: page by page, searched to the end, joined; and what a room is about when it is made.
import { beforeEach, describe, expect, test } from 'vitest';
import { parseId } from '../../protocol/ids';
import type { App } from '../../state/model';
import { FakeClock, until } from '../../testing/clock';
import { FakeHouse } from '../../testing/house';
import { foundHouse } from '../../testing/screens';
import { refusal, Script } from '../../testing/script';
import { PublicList } from './public_list.svelte';

let house: FakeHouse;
let script: Script;
let app: App;
let general: string;

beforeEach(async () => {
  const clock = new FakeClock();
  house = new FakeHouse(clock);
  script = new Script();
  script.over(house);
  ({ app, general } = await foundHouse(house, clock));
});

function room(id: string, name: string, more: object = {}): object {
  const places = { head_position: 0, first_position: 1, last_message_at: 0 };
  const kind = { type: 'public', sealing: 'open', my_role: null, member_count: 2 };
  return { id, name, description: `About ${name}`, ...places, ...kind, ...more };
}

const first = 'GET /api/rooms/public?limit=50';
const below = (id: string): string => `${first}&after=${id}`;

describe('the list', () => {
  test('comes page by page, a room that moved meanwhile once', async () => {
    const [films, chess] = [house.newId(), house.newId()];
    const mine = room(general, 'General', { sealing: 'sealed', my_role: 'owner', member_count: 5 });
    const one = room(films, 'Films');
    script.answers.set(first, { rooms: [mine, one], next: films });
    script.answers.set(below(films), { rooms: [one, room(chess, 'Chess')], next: null });
    const list = new PublicList(app.people.rooms);
    await list.next();
    expect(list.more).toBe(true);
    expect(list.rooms).toEqual([
      {
        id: general,
        name: 'General',
        topic: 'About General',
        sealing: 'sealed',
        people: 5,
        mine: true,
      },
      { id: films, name: 'Films', topic: 'About Films', sealing: 'open', people: 2, mine: false },
    ]);
    await list.all();
    expect(list.rooms.map(({ name }) => name)).toEqual(['General', 'Films', 'Chess']);
    expect(list.more).toBe(false);
    script.answers.set(first, refusal(500, 'broken'));
    await list.next();
  });

  test('says what went wrong, and goes on where it was', async () => {
    const list = new PublicList(app.people.rooms);
    script.answers.set(first, refusal(503, 'locked'));
    await expect(list.next()).rejects.toMatchObject({ code: 'locked' });
    script.answers.set(first, { rooms: [], next: null });
    await list.next();
    expect(list.more).toBe(false);
  });

  test('of a box that never ends is given up', async () => {
    script.answers.set(first, { rooms: [], next: general });
    script.answers.set(below(general), { rooms: [], next: general });
    const list = new PublicList(app.people.rooms);
    await list.all();
    expect(script.sent).toHaveLength(40);
    expect(list.more).toBe(true);
  });
});

describe('joining', () => {
  let films: string;

  beforeEach(() => {
    films = house.newId();
    script.answers.set(first, { rooms: [room(films, 'Films')], next: null });
    script.answers.set(`POST /api/rooms/${films}/join`, () => {
      const mine = house.rooms.get(parseId(general));
      if (mine === undefined) throw new Error('the general room is here');
      const members = new Map([...mine.members]);
      const open = { ...mine, id: parseId(films), name: 'Films', general: false, members };
      house.rooms.set(open.id, { ...open, sealing: 'open', bundles: [], events: [] });
      return room(films, 'Films', { my_role: 'member' });
    });
  });

  test('brings the room into the list', async () => {
    await app.people.rooms.join(films);
    await until(app, ({ rooms }) => rooms.some(({ id }) => id === films));
  });

  test('of a room one is banned from is refused in words', async () => {
    script.answers.set(`POST /api/rooms/${films}/join`, refusal(403, 'banned'));
    await expect(app.people.rooms.join(films)).rejects.toMatchObject({ code: 'banned' });
  });
});

test('a room is made with what it is about, and without', async () => {
  script.answers.set('POST /api/rooms', room(house.newId(), 'Kitchen'));
  const kitchen = { name: 'Kitchen', type: 'public', sealing: 'open' } as const;
  await app.createRoom({ ...kitchen, topic: 'Who cooks' });
  await app.createRoom(kitchen);
  const sent = script.sent.map(({ body }) => body);
  expect(sent).toMatchObject([{ description: 'Who cooks' }, { description: '' }]);
});
