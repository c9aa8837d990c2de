// A box that says one thing and does another: what a person decides is in the epoch all the same.
import { beforeEach, describe, expect, test } from 'vitest';
import { b64u, fromB64u } from '../protocol/bytes';
import { parseId, type Id } from '../protocol/ids';
import * as s from '../protocol/schema';
import { parseBundle } from '../sealing/bundle';
import type { Header } from '../sealing/epoch';
import { elapsing, FakeClock } from '../testing/clock';
import { FakeHouse, type FakeRoom } from '../testing/house';
import { Insider } from '../testing/insider';
import { foundHouse, joined, openGeneral } from '../testing/screens';
import type { App } from './model';

type Answer = (body: Record<string, unknown>) => Response;

let clock: FakeClock;
let house: FakeHouse;
let ada: App;
let general: string;
/** Requests that the box answers by itself, as `METHOD /path`. */
let answers: Map<RegExp, Answer>;

const done: Answer = () => new Response(null, { status: 204 });
const refuse =
  (code: string): Answer =>
  () =>
    Response.json({ code, message: code, hint: '' }, { status: 409 });

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  answers = new Map();
  const honest = house.fetch;
  house.fetch = async (path, init) => {
    const asked = `${init.method ?? 'GET'} ${path}`;
    const body = typeof init.body === 'string' ? s.parseJson(s.record, init.body) : {};
    const found = [...answers].find(([what]) => what.test(asked));
    return found === undefined ? honest(path, init) : found[1](body);
  };
  ({ app: ada, general } = await foundHouse(house, clock));
});

const idOf = (name: string): Id => house.userByName(name)?.id ?? parseId(general);

function roomOf(id: string): FakeRoom {
  const room = house.rooms.get(parseId(id));
  if (room === undefined) throw new Error('no room');
  return room;
}

const head = (id: string): Header =>
  parseBundle(roomOf(id).bundles.at(-1) ?? new Uint8Array()).header;
const listed = (id: string): Id[] => head(id).members.map(([user]) => user);

/** A person whom only the box knows. */
async function ghost(): Promise<Id> {
  const { user, card } = await Insider.make();
  const like = house.userByName('ada');
  if (like === undefined) throw new Error('no ada');
  house.users.set(user, { ...like, id: user, name: 'ghost', cards: [b64u(card)], vault: null });
  return user;
}

/** A private sealed room of ada's with ben in it. */
async function attic(): Promise<string> {
  await joined({ house, clock }, ada, general, 'ben');
  const id = await ada.createRoom({ name: 'Attic', type: 'private', sealing: 'sealed' });
  await ada.people.rooms.add(id, idOf('ben'));
  expect(listed(id)).toEqual([idOf('ada'), idOf('ben')]);
  return id;
}

describe('a box that says a private room is public', () => {
  test('is not believed: it is shown as its members made it', async () => {
    const id = await attic();
    Object.assign(roomOf(id), { type: 'public', name: 'Loft' });
    house.cut();
    const { rooms } = await elapsing(clock, ada, (state) => {
      return state.rooms.some(({ name }) => name === 'Loft');
    });
    expect(rooms.find((room) => room.id === id)?.type).toBe('private');
  });

  test('has nobody listed whom it names when somebody changes the rules', async () => {
    const id = await attic();
    Object.assign(roomOf(id), { type: 'public', name: 'Loft' });
    roomOf(id).members.set(await ghost(), 'member');
    house.cut();
    await elapsing(clock, ada, ({ rooms }) => rooms.some(({ name }) => name === 'Loft'));
    answers.set(/^PUT .*rooms/, ({ bundle }) => {
      house.addBundle(roomOf(id), fromB64u(s.text(bundle, 'bundle')), idOf('ada'));
      return Response.json({});
    });
    expect(ada.people.rooms.rules(id)).toMatchObject({ type: 'private', history: 'all' });
    await ada.people.rooms.change(id, { history: 'since_join' }).catch(() => undefined);
    expect(head(id)).toMatchObject({
      reason: 'rules',
      rules: { type: 'private', history: 'since_join', hints: false },
    });
    expect(listed(id)).toEqual([idOf('ada'), idOf('ben')]);
  });
});

describe('a box that does not do what it says', () => {
  test.each(['remove', 'ban'] as const)('keeps nobody in: %s', async (out) => {
    const id = await attic();
    answers.set(/^DELETE .*members/, done);
    answers.set(/^POST .*bans/, done);
    const { rooms } = ada.people;
    if (out === 'remove') await rooms.remove(id, idOf('ben'), '');
    else await rooms.ban(id, idOf('ben'), { reason: '', minutes: null });
    expect(roomOf(id).members.has(idOf('ben'))).toBe(true);
    expect(listed(id)).toEqual([idOf('ada')]);
  });

  test('and refuses the epoch that would do it, is told on', async () => {
    const id = await attic();
    answers.set(/^DELETE .*members/, done);
    answers.set(/^POST .*bundles/, refuse('drops_member'));
    const removed = ada.people.rooms.remove(id, idOf('ben'), '');
    await expect(removed).rejects.toMatchObject({ code: 'drops_member' });
  });

  test('and takes the epoch without serving it, is told on', async () => {
    const id = await attic();
    answers.set(/^DELETE .*members/, done);
    answers.set(/^POST .*bundles/, () => Response.json({ epoch: 3 }));
    await expect(ada.people.rooms.remove(id, idOf('ben'), '')).rejects.toMatchObject({
      message: /was made/,
    });
  });

  test('keeps no invite that was revoked', async () => {
    const id = await attic();
    const { link } = await ada.makeInvite(id, 3);
    const [code = ''] = /[0-9A-Z]{10}/.exec(link) ?? [];
    expect(head(id).invites.map((one) => one.code)).toEqual([code]);
    const terms = { created_at: 1, expires_at: clock.now() + 1e9, uses_left: 3 };
    const invite = { code, by: idOf('ada'), revoked: false, guest_until: null, ...terms };
    answers.set(/^GET .*invites/, () => Response.json({ invites: [invite] }));
    answers.set(/^DELETE .*invites/, done);
    await ada.people.rooms.revoke(id, code);
    expect(head(id).invites).toEqual([]);
  });

  test('keeps no device that was removed', async () => {
    const id = await attic();
    await ada.openRoom(id);
    const { id: device } = await ada.addDevice(id, 'washer');
    expect(head(id).doors.map(([one]) => one)).toEqual([device]);
    answers.set(/^DELETE .*devices/, done);
    await ada.removeDevice(id, device);
    expect(head(id).doors).toEqual([]);
  });
});

describe('a box that does not name who is listed', () => {
  test('hides nobody: they are shown with the key', async () => {
    const id = await attic();
    const ben = idOf('ben');
    const like = { id: idOf('ada'), name: 'ada', role: 'owner' };
    const row = { user: like, role: 'owner', joined_at: 1 };
    answers.set(/^GET .*members/, () => Response.json({ members: [row], waiting: [] }));
    await ada.openRoom(id);
    const { currentRoom } = await elapsing(clock, ada, (state) => {
      return state.currentRoom?.readers.gone.length === 1;
    });
    expect(currentRoom?.readers.gone[0]?.person).toMatchObject({ id: ben, displayName: 'ben' });
    expect(currentRoom?.readers.people.map(({ person }) => person.name)).toEqual(['ada']);
  });
});

describe('a box that hides the cards of somebody', () => {
  test('as of who blocks or is blocked, stops no epoch of a room that both are in', async () => {
    const { browser } = await joined({ house, clock }, ada, general, 'ben');
    const hidden: Answer = () =>
      Response.json({ code: 'not_found', message: 'not found', hint: '' }, { status: 404 });
    answers.set(new RegExp(`^GET .*users/${idOf('ben')}/cards`), hidden);
    roomOf(general).rotationDue = true;
    await ada.send('on we go');
    await elapsing(clock, ada, ({ waiting }) => waiting === 0);
    expect(listed(general)).toEqual([idOf('ada'), idOf('ben')]);
    const again = await browser.open();
    await openGeneral(again);
  });
});
