// Running the house: who is offered what, invites, reports, settings; the box's part is a script.
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse } from '../testing/screens';
import { refusal, Script } from '../testing/script';
import type { Administration } from './administration_model';
import { parseCounts } from './counts';
import { managesAccount, rolesToGive } from './may';
import type { App } from './model';

let clock: FakeClock;
let house: FakeHouse;
let script: Script;
let app: App;
let general: string;
let desk: Administration;

beforeEach(async () => {
  clock = new FakeClock();
  house = new FakeHouse(clock);
  script = new Script();
  script.over(house);
  ({ app, general } = await foundHouse(house, clock));
  desk = await app.administration();
});

const me = (): string => house.userByName('ada')?.id ?? '';

function account(id: string, name: string, role: string, more: object = {}): object {
  const seen = { created_at: 5, last_seen: 0, guest_until: null, blocked: false };
  return { id, name, role, ...seen, ...more };
}

/** Ada as this, with one account of each role beside her. */
function people(role: string): Record<string, string> {
  const ids: Record<string, string> = {};
  const others = ['owner', 'admin', 'member', 'guest', 'bot'].map((one) => {
    ids[one] = house.newId();
    return account(ids[one], `the_${one}`, one);
  });
  const users = [account(me(), 'ada', role), ...others];
  script.answers.set('GET /api/users?limit=100', { users, next: null });
  return ids;
}

describe('accounts', () => {
  test('the table: owners and admins are for owners, a bot stays one', () => {
    expect(managesAccount('owner', 'owner')).toBe(true);
    expect(managesAccount('admin', 'admin')).toBe(false);
    expect(managesAccount('admin', 'guest')).toBe(true);
    expect(managesAccount('member', 'guest')).toBe(false);
    expect(rolesToGive('owner', 'member')).toEqual(['owner', 'admin', 'member', 'guest']);
    expect(rolesToGive('admin', 'member')).toEqual(['member', 'guest']);
    expect(rolesToGive('admin', 'owner')).toEqual([]);
    expect(rolesToGive('owner', 'bot')).toEqual([]);
  });

  test('an admin is offered nothing about owners, admins and themselves', async () => {
    people('admin');
    const all = await desk.accounts();
    const offered = all.map(({ person, may }) => [person.name, may.manage, may.reset]);
    expect(offered).toEqual([
      ['ada', false, false],
      ['the_owner', false, false],
      ['the_admin', false, false],
      ['the_member', true, true],
      ['the_guest', true, true],
      ['the_bot', true, false],
    ]);
  });

  test('all pages are read, and who is blocked gets no role and no link', async () => {
    const [one, two] = [house.newId(), house.newId()];
    const first = [account(me(), 'ada', 'owner'), account(one, 'ben', 'member')];
    script.answers.set('GET /api/users?limit=100', { users: first, next: one });
    const blocked = account(two, 'cleo', 'member', { blocked: true });
    script.answers.set(`GET /api/users?limit=100&after=${one}`, { users: [blocked], next: null });
    const all = await desk.accounts();
    expect(all.map(({ person }) => person.name)).toEqual(['ada', 'ben', 'cleo']);
    expect(all[2]).toMatchObject({ blocked: true, may: { roles: [], manage: true, reset: false } });
  });

  test('a guest is made for some days from now, and a member without an end', async () => {
    const { member = '' } = people('owner');
    const path = `PATCH /api/users/${member}`;
    script.answers.set(path, account(member, 'ben', 'guest'));
    await desk.setRole(member, 'guest', 7);
    await desk.setRole(member, 'admin', null);
    await desk.letStay(member, 1);
    await desk.setBlocked(member, true);
    const day = 86_400_000;
    expect(script.sent.filter(({ what }) => what === path).map(({ body }) => body)).toEqual([
      { role: 'guest', guest_until: clock.now() + 7 * day },
      { role: 'admin' },
      { guest_until: clock.now() + day },
      { blocked: true },
    ]);
  });

  test('a link for a new password is of this house', async () => {
    const { member = '' } = people('owner');
    script.answers.set(`POST /api/users/${member}/reset`, { path: '/reset#abc', expires_at: 9 });
    expect(await desk.resetLink(member)).toEqual({
      link: 'https://hearth.local/reset#abc',
      expiresAt: 9,
    });
  });

  test('what the box refuses is a problem with its code', async () => {
    const { owner = '' } = people('owner');
    script.answers.set(`DELETE /api/users/${owner}`, () => refusal(409, 'last_owner'));
    await expect(desk.end(owner)).rejects.toMatchObject({ code: 'last_owner' });
  });
});

describe('invites', () => {
  test('lead into the rooms one keeps; the link is known here as long as it is made here', async () => {
    expect(desk.invitingRooms()).toEqual([
      { id: general, name: 'General', general: true, sealed: true },
    ]);
    const { link } = await desk.invite({ room: general, uses: 5, guestDays: null });
    const code = new URL(link).pathname.slice(3);
    const terms = { by: me(), created_at: 1, expires_at: clock.now() + 1, uses_left: 5 };
    const row = { ...terms, code, revoked: false, guest_until: null };
    const others = [
      { ...row, code: '0123456789', created_at: 2 },
      { ...row, code: '1123456789', revoked: true },
      { ...row, code: '2123456789', uses_left: 0 },
      { ...row, code: '3123456789', expires_at: clock.now() },
    ];
    script.answers.set(`GET /api/rooms/${general}/invites`, { invites: [row, ...others] });
    const listed = await desk.invites();
    expect(listed.map((one) => [one.code, one.link])).toEqual([
      ['0123456789', null],
      [code, link],
    ]);
  });

  test('a guest’s into a sealed room leads there alone, with keys', async () => {
    const room = await app.createRoom({ name: 'Attic', type: 'private', sealing: 'sealed' });
    const path = `POST /api/rooms/${room}/invites`;
    script.answers.set(path, {});
    const { link } = await desk.invite({ room, uses: 1, guestDays: 30 });
    expect(new URL(link).hash).toMatch(/^#[\w-]{43}$/);
    const until = clock.now() + 30 * 86_400_000;
    const { body } = script.sent.find(({ what }) => what === path) ?? {};
    expect(body).toMatchObject({ guest_until: until, bundles: [{ room }] });
  });
});

describe('reports', () => {
  const report = (more: object = {}): object => ({
    id: house.newId(),
    by: account(me(), 'ada', 'owner'),
    room_id: general,
    message_id: house.newId(),
    sender: house.newId(),
    reason: 'rude',
    has_evidence: false,
    evidence: null,
    message: null,
    created_at: 7,
    decision: null,
    ...more,
  });

  async function first(one: object): Promise<Awaited<ReturnType<Administration['reports']>>> {
    script.answers.set('GET /api/reports?status=open&limit=20', { reports: [one], next: null });
    return desk.reports('open', null);
  }

  test('what can be decided goes by the room, the writer and whether the message is there', async () => {
    const ben = house.newId();
    script.answers.set(`GET /api/users/${ben}`, account(ben, 'ben', 'member'));
    const away = { sender: ben, room_id: house.newId() };
    const cases: [object, readonly string[]][] = [
      [{ sender: ben }, ['dismiss', 'uphold', 'delete', 'mute']],
      [away, ['dismiss', 'uphold', 'delete', 'mute', 'kick', 'ban']],
      [
        { ...away, message: { content: '', deleted: { by: ben } } },
        ['dismiss', 'uphold', 'mute', 'kick', 'ban'],
      ],
      [{ sender: null }, ['dismiss', 'uphold']],
      [{ sender: null, message: { content: 'Beep' } }, ['dismiss', 'uphold', 'delete']],
      [{ sender: me() }, ['dismiss', 'uphold', 'delete']],
    ];
    for (const [more, rulings] of cases) {
      expect((await first(report(more))).items[0]?.rulings).toEqual(rulings);
    }
  });

  test('show the message of an open room, and who wrote it', async () => {
    const ben = house.newId();
    script.answers.set(`GET /api/users/${ben}`, account(ben, 'ben', 'member'));
    const { items } = await first(report({ sender: ben, message: { content: 'pig' } }));
    expect(items[0]).toMatchObject({
      text: 'pig',
      sender: { name: 'ben' },
      room: { name: 'General', here: true },
      reason: 'rude',
    });
  });

  test('are decided with a reason and, for a mute, a term', async () => {
    const one = report({ sender: null });
    const { items } = await first(one);
    const path = `PATCH /api/reports/${items[0]?.id}`;
    script.answers.set(path, null);
    if (items[0] === undefined) throw new Error('there is one');
    await desk.decide(items[0], { ruling: 'mute', note: 'calm down', minutes: 60 });
    await desk.decide(items[0], { ruling: 'dismiss', note: '', minutes: null });
    expect(script.sent.filter(({ what }) => what === path).map(({ body }) => body)).toEqual([
      { decision: 'mute', note: 'calm down', minutes: 60 },
      { decision: 'dismiss', note: '' },
    ]);
  });
});

describe('the house', () => {
  const settings = {
    version: 4,
    house: 'Our house',
    registration: 'invite',
    retention_days: 30,
    retention_bytes: 0,
    attachment_user_mib: null,
    attachment_house_mib: 500,
    audit_days: null,
  };

  test('its settings are read, changed as a whole, and its name is shown at once', async () => {
    script.answers.set('GET /api/settings', settings);
    script.answers.set('PUT /api/settings', (body: unknown) => ({
      ...Object(body),
      version: 5,
    }));
    const read = await desk.settings();
    expect(read).toMatchObject({ version: 4, keepDays: 30, houseMib: 500, personMib: null });
    const after = await desk.changeSettings({ ...read, house: 'The Elms', personMib: 9 });
    expect(after.version).toBe(5);
    expect(script.sent.at(-1)?.body).toEqual({
      ...settings,
      house: 'The Elms',
      attachment_user_mib: 9,
    });
    expect(app.state.house).toBe('The Elms');
  });

  test('a change that somebody else was quicker with is told', async () => {
    script.answers.set('GET /api/settings', settings);
    script.answers.set('PUT /api/settings', () => refusal(409, 'changed_meanwhile'));
    const read = await desk.settings();
    const late = desk.changeSettings({ ...read, keepDays: 7 });
    await expect(late).rejects.toMatchObject({ code: 'changed_meanwhile' });
    expect(app.state.house).toBe('Our house');
  });

  test('addresses are sent without one’s own, and with force only when it is said', async () => {
    const rules = { version: 2, allow: ['10.0.0.0/8'], deny: [], yours: '10.0.0.4' };
    script.answers.set('GET /api/settings/addresses', rules);
    script.answers.set('PUT /api/settings/addresses', rules);
    const read = await desk.addresses();
    await desk.changeAddresses({ ...read, deny: ['10.0.0.9'] }, false);
    await desk.changeAddresses(read, true);
    const sent = script.sent.filter(({ what }) => what.startsWith('PUT'));
    expect(sent.map(({ body }) => body)).toEqual([
      { version: 2, allow: ['10.0.0.0/8'], deny: ['10.0.0.9'], force: false },
      { version: 2, allow: ['10.0.0.0/8'], deny: [], force: true },
    ]);
  });

  test('counts are read by name and labels; comments and broken lines are left out', () => {
    const text = '# HELP a b\na_total 3\nb{door="tls"} 5\nc 1.5\nd\nA 1\n';
    expect([...parseCounts(text)]).toEqual([
      ['a_total', 3],
      ['b{door="tls"}', 5],
    ]);
  });

  test('the log says who was made what in a room, also of whom nothing was known here', async () => {
    const ids = people('owner');
    const role = { user: ids['guest'], role: 'admin' };
    const entry = { id: house.newId(), at: 3, by: me(), action: 'member.role' };
    const subject = { type: 'room', id: general };
    script.answers.set('GET /api/audit?limit=50', {
      entries: [{ ...entry, subject, detail: role }],
    });
    const { items } = await desk.log(null);
    expect(items).toMatchObject([
      { subject: { name: 'General' }, whom: 'the_guest', to: 'admin', from: null },
    ]);
  });

  test('the log names people and rooms, and its next page begins below the last entry', async () => {
    people('owner');
    const entries = Array.from({ length: 50 }, () => ({
      id: house.newId(),
      at: 3,
      by: me(),
      action: 'room.kick',
      subject: { type: 'user', id: me() },
      detail: { room: general, reason: 'loud', until: null },
    }));
    script.answers.set('GET /api/audit?limit=50', { entries });
    const page = await desk.log(null);
    expect(page.next).toBe(entries.at(-1)?.id);
    expect(page.items[0]).toMatchObject({
      by: { name: 'ada' },
      subject: { kind: 'user', name: 'ada' },
      room: 'General',
      reason: 'loud',
    });
    const last = { ...entries[0], by: null, subject: { type: 'house', id: null }, detail: null };
    script.answers.set(`GET /api/audit?limit=50&before=${page.next}`, { entries: [last] });
    const rest = await desk.log(page.next);
    expect(rest).toMatchObject({ next: null, items: [{ by: null, subject: { kind: 'house' } }] });
  });
});
