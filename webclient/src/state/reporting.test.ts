// Reports of a sealed room's messages: what is shown to whom, and what those who keep order make of it.
import { beforeEach, describe, expect, test } from 'vitest';
import { parseId } from '../protocol/ids';
import { FakeClock, until } from '../testing/clock';
import { FakeHouse } from '../testing/house';
import { foundHouse, joined, messages, shows } from '../testing/screens';
import { Script } from '../testing/script';
import type { ReportView } from './administration_model';
import type { App } from './model';

let house: FakeHouse;
let script: Script;
let ada: App;
let ben: App;
let cleo: App;
let general: string;

const idOf = (name: string): string => house.userByName(name)?.id ?? '';

beforeEach(async () => {
  const clock = new FakeClock();
  house = new FakeHouse(clock);
  script = new Script();
  script.over(house);
  ({ app: ada, general } = await foundHouse(house, clock));
  ({ app: ben } = await joined({ house, clock }, ada, general, 'ben'));
  ({ app: cleo } = await joined({ house, clock }, ada, general, 'cleo'));
  await ben.send('Oma cannot cook');
  await until(cleo, shows('Oma cannot cook'));
});

async function reported(show: boolean): Promise<{ message: string; evidence: unknown }> {
  const message = messages(cleo.state)[0]?.id ?? '';
  const what = `POST /api/messages/${message}/reports`;
  script.answers.set(what, { id: house.newId() });
  await cleo.reading.report(message, 'unkind', show);
  const sent = script.sent.find((one) => one.what === what)?.body;
  return { message, evidence: Reflect.get(Object(sent), 'evidence') };
}

/** What Ada reads of a report with this evidence. */
async function read(message: string, evidence: unknown, sender = idOf('ben')) {
  const desk = await ada.administration();
  const id = house.newId();
  const report = {
    id,
    by: null,
    room_id: general,
    message_id: message,
    sender,
    reason: 'unkind',
    has_evidence: true,
    message: null,
    created_at: 7,
    decision: null,
  };
  script.answers.set('GET /api/reports?status=open&limit=20', { reports: [report], next: null });
  script.answers.set(`GET /api/reports/${id}`, { ...report, evidence });
  const { items } = await desk.reports('open', null);
  return desk.evidence(items[0] as ReportView);
}

describe('a report of a sealed room', () => {
  test('says who could read what it shows: not its writer', async () => {
    const message = messages(cleo.state)[0]?.id ?? '';
    const names = (await cleo.reading.moderators(message)).map(({ name }) => name);
    expect(names).toEqual(['ada']);
  });

  test('shows nothing unless its maker wants it', async () => {
    expect((await reported(false)).evidence).toBeUndefined();
  });

  test('shows the message to those who keep order, with who signed it', async () => {
    const { message, evidence } = await reported(true);
    expect(evidence).toMatch(/^[\w-]+$/);
    const seen = await read(message, evidence);
    expect(seen).toMatchObject({ proof: 'signed', texts: ['Oma cannot cook'], files: 0 });
  });

  test('shows what it was edited to', async () => {
    const id = messages(ben.state)[0]?.id ?? '';
    await ben.edit(id, 'Oma cooks well');
    await until(cleo, shows('Oma cooks well'));
    const { message, evidence } = await reported(true);
    const { texts } = await read(message, evidence);
    expect(texts).toEqual(['Oma cannot cook', 'Oma cooks well']);
  });

  test('about somebody else’s message is nothing but a word', async () => {
    const { message, evidence } = await reported(true);
    expect((await read(message, evidence, idOf('cleo'))).proof).toBe('claimed');
    const other = read(house.newId(), evidence);
    await expect(other).rejects.toMatchObject({ code: 'bad_evidence' });
  });

  test('of a message that is gone from the box is refused', async () => {
    const room = house.rooms.get(parseId(general));
    const message = messages(cleo.state)[0]?.id ?? '';
    const at = room?.events.findIndex(({ id }) => id === message) ?? -1;
    room?.events.splice(at, 1);
    await expect(cleo.reading.report(message, 'unkind', true)).rejects.toMatchObject({
      code: 'not_found',
    });
  });
});
