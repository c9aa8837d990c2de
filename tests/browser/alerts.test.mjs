// What reaches somebody who does not look: the number in the title and on the icon, the system's
// notifications; and who is writing, between this page and others at /api/ws.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, composer, invite, join_, openChromium, person, reads, setUp, write,
} from './house.mjs';

/** Notes what the page shows outside of itself, and lets a test say whether it is looked at. */
function outside() {
  window.told = [];
  window.icon = [];
  window.looked = true;
  class Shown extends EventTarget {
    static permission = 'granted';
    static requestPermission = () => Promise.resolve('granted');
    constructor(title, { body, tag }) {
      super();
      window.told.push({ title, body, tag, shown: this });
    }
    close() {}
  }
  window.Notification = Shown;
  navigator.setAppBadge = (n) => Promise.resolve(void window.icon.push(n));
  navigator.clearAppBadge = () => Promise.resolve(void window.icon.push(0));
  const visible = () => (window.looked ? 'visible' : 'hidden');
  Object.defineProperty(document, 'visibilityState', { get: visible });
}

const looks = (page, on) =>
  page.evaluate((on) => {
    window.looked = on;
    document.dispatchEvent(new Event('visibilitychange'));
  }, on);

describe('who does not look', () => {
  let browser, house, anna, bert;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    const link = await invite(anna.page);
    bert = await person(browser, DESKTOP);
    await bert.context.addInitScript(outside);
    await join_(bert.page, link, 'bert');
    await write(anna.page, 'Hello');
    await reads(bert.page, 'Hello');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('is told by the system when named, once they asked for it, and a tap leads there', async () => {
    await bert.page.getByRole('button', { name: /^Alerts/ }).click();
    await bert.page.getByRole('checkbox').first().check();
    await bert.page.keyboard.press('Escape');
    await looks(bert.page, false);
    await write(anna.page, 'Rain today');
    await write(anna.page, 'Where are you, @bert?');
    await bert.page.waitForFunction(() => window.told.length > 0);
    const told = await bert.page.evaluate(() => window.told.map(({ title, body }) => [title, body]));
    assert.equal(told.length, 1, 'the message that names nobody is none');
    assert.match(told[0][0], /anna/);
    assert.equal(told[0][1], 'Where are you, @bert?');
    await bert.page.evaluate(() => window.told[0].shown.onclick());
    await bert.page.locator('main').getByText('Where are you, @bert?', { exact: true }).waitFor();
  });

  test('has the number in the title, until they look', async () => {
    await bert.page.waitForFunction(() => /^\(2\) /.test(document.title));
    await bert.page.waitForFunction(() => window.icon.some((n) => n > 0));
    await looks(bert.page, true);
    await bert.page.waitForFunction(() => !document.title.startsWith('('));
  });

  test('is told nothing while they look', async () => {
    await write(anna.page, 'There you are, @bert');
    await reads(bert.page, 'There you are, @bert');
    assert.equal(await bert.page.evaluate(() => window.told.length), 1);
    for (const { complaints } of [anna, bert]) assert.deepEqual(complaints, []);
  });
});

describe('who is writing in an open room', () => {
  let browser, house, anna, bert, room, token;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    await anna.page.getByRole('button', { name: 'New room' }).click();
    const dialog = anna.page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('Kitchen');
    await dialog.getByText('The box can read it too').click();
    await dialog.getByRole('button', { name: 'Make the room' }).click();
    await anna.page.getByRole('main').getByRole('heading', { name: 'Kitchen' }).waitFor();
    const link = await invite(anna.page);
    bert = await person(browser, DESKTOP);
    bert.page.on('request', (request) => {
      token = request.headers().authorization?.replace('Bearer ', '') ?? token;
    });
    await join_(bert.page, link, 'bert');
    const answer = await fetch(`http://${house.http}/api/rooms`, {
      headers: { authorization: `Bearer ${token}` },
    });
    room = (await answer.json()).rooms.find(({ name }) => name === 'Kitchen').id;
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('is seen at /api/ws when a page types, and on the page when a program does', async () => {
    const other = await person(browser, DESKTOP);
    await other.page.goto(`http://${house.http}/api/health`);
    await other.page.evaluate(
      ([token, room]) => {
        window.heard = [];
        window.socket = new WebSocket(`ws://${location.host}/api/ws`, ['hearth.v1', `bearer.${token}`]);
        window.socket.onmessage = ({ data }) => window.heard.push(JSON.parse(data));
        window.socket.onopen = () =>
          window.socket.send(JSON.stringify({ type: 'join_room', ref: 1, room_id: room }));
      },
      [token, room],
    );
    await other.page.waitForFunction(() => window.heard.some(({ type }) => type === 'ack'));
    // Who is writing is told once and never kept: told again until somebody listens.
    const heard = () =>
      other.page
        .waitForFunction(() => window.heard.some(({ type }) => type === 'user_typing'), null, { timeout: 1_000 })
        .then(() => true, () => false);
    for (let tries = 0; tries < 10; tries += 1) {
      await composer(anna.page).pressSequentially('So');
      if (await heard()) break;
      await composer(anna.page).fill('');
    }
    assert.ok(await heard());
    await composer(anna.page).fill('');
    // It is shown for some seconds: whoever waits looks already.
    const shown = anna.page.locator('main').getByText(/bert is writing/).first().waitFor();
    await other.page.evaluate((room) => {
      window.socket.send(JSON.stringify({ type: 'typing_start', room_id: room }));
    }, room);
    await shown;
    for (const { complaints } of [anna, bert]) assert.deepEqual(complaints, []);
  });
});
