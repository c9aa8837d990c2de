// Programs of the house: bots and their tokens, and MQTT topics beside the rooms; the box is a script.
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse } from '../testing/screens';
import { refusal, Script } from '../testing/script';
import type { Programs } from './bots_model';

let house: FakeHouse;
let script: Script;
let general: string;
let programs: Programs;

beforeEach(async () => {
  const clock = new FakeClock();
  house = new FakeHouse(clock);
  script = new Script();
  script.over(house);
  const founded = await foundHouse(house, clock);
  general = founded.general;
  programs = (await founded.app.administration()).programs;
});

const sent = (what: string): unknown => script.sent.find((one) => one.what === what)?.body;

describe('bots', () => {
  const token = { label: 'Station', access: 'write', rooms: null } as const;

  test('are made with a first token, whose text is told once', async () => {
    script.answers.set('POST /api/bots', { user: {}, id: house.newId(), token: 'hearth_app_b' });
    const bot = { name: 'weather', displayName: '', token };
    expect(await programs.makeBot(bot)).toBe('hearth_app_b');
    const scope = { access: 'write', rooms: null };
    const first = { label: 'Station', scope };
    expect(sent('POST /api/bots')).toEqual({ name: 'weather', token: first });
    await programs.makeBot({ ...bot, displayName: 'Weather' });
    expect(script.sent.at(-1)?.body).toMatchObject({ display_name: 'Weather' });
  });

  test('get further tokens, into some rooms only, and lose them', async () => {
    const [bot, id] = [house.newId(), house.newId()];
    const path = `/api/bots/${bot}/tokens`;
    const scope = { access: 'read', rooms: [general] };
    const one = { id, label: 'Screen', created_at: 5, last_used_at: 0, scope };
    script.answers.set(`GET ${path}`, { tokens: [one] });
    script.answers.set(`POST ${path}`, { ...one, token: 'hearth_app_c' });
    script.answers.set(`DELETE ${path}/${id}`, null);
    const input = { label: 'Screen', access: 'read', rooms: [general] } as const;
    expect(await programs.makeToken(bot, input)).toBe('hearth_app_c');
    expect(sent(`POST ${path}`)).toEqual({ label: 'Screen', scope });
    const view = { id, label: 'Screen', createdAt: 5, lastUsedAt: 0 };
    expect(await programs.tokens(bot)).toEqual([{ ...view, access: 'read', rooms: [general] }]);
    await programs.endToken(bot, id);
    expect(script.sent.map(({ what }) => what)).toContain(`DELETE ${path}/${id}`);
  });

  test('are refused in words', async () => {
    script.answers.set('POST /api/bots', refusal(409, 'name_taken'));
    const made = programs.makeBot({ name: 'ada', displayName: '', token });
    await expect(made).rejects.toMatchObject({ code: 'name_taken' });
  });
});

describe('topics beside the rooms', () => {
  let washer: string;
  let ada: string;

  beforeEach(() => {
    washer = house.newId();
    ada = house.userByName('ada')?.id ?? '';
    const account = { id: ada, name: 'ada', role: 'owner', created_at: 5, last_seen: 0 };
    const users = [{ ...account, guest_until: null, blocked: false }];
    script.answers.set('GET /api/users?limit=100', { users, next: null });
    const device = { id: washer, name: 'washer', created_at: 1, plain: 'refuse' };
    script.answers.set(`GET /api/rooms/${general}/devices`, { devices: [device] });
  });

  test('can be given to everybody, and to the devices of one’s rooms', async () => {
    expect(await programs.holders()).toEqual([
      { kind: 'person', id: ada, name: 'ada', room: null },
      { kind: 'device', id: washer, name: 'washer', room: 'General' },
    ]);
  });

  test('are listed with who has them, as far as that is known', async () => {
    const grant = { access: 'both', created_at: 5, created_by: null };
    const [one, other] = [house.newId(), house.newId()];
    script.answers.set('GET /api/grants', {
      grants: [
        { ...grant, id: one, device_id: washer, filter: 'zigbee2mqtt/#' },
        { ...grant, id: other, user_id: house.newId(), filter: 'homeassistant/#' },
      ],
    });
    const listed = await programs.grants(await programs.holders());
    expect(listed).toMatchObject([
      { id: one, filter: 'zigbee2mqtt/#', access: 'both', holder: { name: 'washer' } },
      { id: other, filter: 'homeassistant/#', holder: null },
    ]);
  });

  test('are given to a person or a device, and taken back', async () => {
    const id = house.newId();
    const made = { id, filter: 'a/#', access: 'read', created_at: 5 };
    script.answers.set('POST /api/grants', made);
    script.answers.set(`DELETE /api/grants/${id}`, null);
    for (const holder of await programs.holders()) {
      await programs.grant({ holder, filter: 'a/#', access: 'read' });
    }
    const bodies = script.sent.filter(({ what }) => what === 'POST /api/grants');
    expect(bodies.map(({ body }) => body)).toEqual([
      { user_id: ada, filter: 'a/#', access: 'read' },
      { device_id: washer, filter: 'a/#', access: 'read' },
    ]);
    await programs.endGrant(id);
    expect(script.sent.at(-1)?.what).toBe(`DELETE /api/grants/${id}`);
    script.answers.set('POST /api/grants', refusal(400, 'bad_filter'));
    const holder = { kind: 'person', id: ada, name: 'ada', room: null } as const;
    const refused = programs.grant({ holder, filter: '#', access: 'read' });
    await expect(refused).rejects.toMatchObject({ code: 'bad_filter' });
  });
});
