// Programs of the house in Chromium, as its owner sees them: a bot with its tokens that writes into an
// open room over REST, and MQTT topics beside the rooms, given and taken back.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { DESKTOP, House, PHONE, openChromium, person, reads, setUp, signIn } from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(shots, `programs-${name}.png`) });

const dialog = (page) => page.getByRole('dialog');
const button = (page, name) => dialog(page).getByRole('button', { name, exact: true });

const manage = (page) => dialog(page).getByRole('button', { name: /^Manage Weather station/ });

async function openPart(page, name) {
  const part = { Bots: 'bots', 'MQTT topics': 'grants' }[name];
  await page.evaluate((to) => (location.hash = `#/settings/${to}`), part);
  await dialog(page).getByRole('heading', { name, exact: true, level: 2 }).waitFor();
}

describe('programs', () => {
  let browser, house, anna, phone, token;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    await anna.page.getByRole('button', { name: 'New room' }).click();
    await dialog(anna.page).getByLabel('Name').fill('Weather');
    await dialog(anna.page).getByText('Open', { exact: true }).click();
    await button(anna.page, 'Make the room').click();
    await anna.page.getByRole('main').getByRole('heading', { name: 'Weather' }).waitFor();
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  const api = (path, { body, ...init } = {}) =>
    fetch(`http://${house.http}${path}`, {
      ...init,
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    });

  test('a bot is made, and its token is shown once', async () => {
    await openPart(anna.page, 'Bots');
    await dialog(anna.page).getByText('No bots yet.').waitFor();
    await dialog(anna.page).getByLabel('Name', { exact: true }).fill('a b');
    assert.ok(await button(anna.page, 'Make a bot').isDisabled());
    await dialog(anna.page).getByLabel('Name', { exact: true }).fill('station');
    await dialog(anna.page).getByLabel('What the others see').fill('Weather station');
    await dialog(anna.page).getByLabel('What is it for?').fill('On the roof');
    await dialog(anna.page).getByText('Read and write', { exact: true }).click();
    await button(anna.page, 'Make a bot').click();
    token = await dialog(anna.page).locator('[data-token]').innerText();
    assert.match(token, /^hearth_app_/);
    await shot(anna.page, 'token');
    await button(anna.page, 'Done').click();
    assert.equal((await api('/api/auth/me')).status, 200);
  });

  test('it is let into an open room and writes there', async () => {
    await manage(anna.page).click();
    await dialog(anna.page).getByText('On the roof').waitFor();
    await shot(anna.page, 'bot');
    await button(anna.page, 'Let it in').click();
    await dialog(anna.page).getByText('Weather station is in Weather.').waitFor();
    const { rooms } = await (await api('/api/rooms')).json();
    const room = rooms.find(({ name }) => name === 'Weather');
    const written = await api(`/api/rooms/${room.id}/messages`, { body: { content: '21 degrees' } });
    assert.equal(written.status, 201, await written.text());
    await anna.page.keyboard.press('Escape');
    await dialog(anna.page).waitFor({ state: 'detached' });
    await reads(anna.page, '21 degrees');
  });

  test('its token is ended, and opens nothing any more', async () => {
    await openPart(anna.page, 'Bots');
    await manage(anna.page).click();
    await button(anna.page, 'End the token “On the roof”').click();
    await button(anna.page, 'End it').click();
    await dialog(anna.page).getByText('It has no token').waitFor();
    assert.equal((await api('/api/auth/me')).status, 401);
  });

  test('topics are given to a bot, listed, and taken back', async () => {
    await openPart(anna.page, 'MQTT topics');
    await dialog(anna.page).getByText('Nobody has other topics.').waitFor();
    await dialog(anna.page).getByLabel('Which topics?').fill('#');
    await button(anna.page, 'Give topics').click();
    await dialog(anna.page).getByText('These topics cannot be given.').waitFor();
    await dialog(anna.page).getByLabel('Which topics?').fill('homeassistant/#');
    await dialog(anna.page).getByLabel('To whom?').selectOption({ label: 'Weather station' });
    await button(anna.page, 'Give topics').click();
    await dialog(anna.page).getByText('Weather station · Both').waitFor();
    await shot(anna.page, 'topics');
    await button(anna.page, 'Take back homeassistant/#').click();
    await button(anna.page, 'Take back').click();
    await dialog(anna.page).getByText('Nobody has other topics.').waitFor();
    await anna.page.keyboard.press('Escape');
  });

  test('all of it on a phone, in the dark', async () => {
    phone = await person(browser, PHONE, { colorScheme: 'dark' });
    await signIn(phone.page, house, 'anna');
    await openPart(phone.page, 'Bots');
    await manage(phone.page).click();
    await dialog(phone.page).getByText('It has no token').waitFor();
    await shot(phone.page, 'bot-phone');
    await openPart(phone.page, 'MQTT topics');
    await dialog(phone.page).getByLabel('Which topics?').waitFor();
    await shot(phone.page, 'topics-phone');
    for (const { complaints } of [anna, phone]) assert.deepEqual(complaints, []);
  });
});
