// Guests in Chromium: invited into one room, in by a name alone, told how long they stay, out when
// the time is over.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PASSWORD, PHONE, composer, keepSheet, openChromium, person, reads, setUp, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(shots, `guests-${name}.png`) });

/** A new room for the invited; it is the one that is shown then. */
async function makeRoom(page, name, sealing) {
  await page.getByRole('button', { name: 'New room' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  if (sealing === 'open') await dialog.getByText('The box can read it too').click();
  await dialog.getByRole('button', { name: 'Make the room' }).click();
  await page.getByRole('main').getByRole('heading', { name, exact: true }).waitFor();
}

/** A link for one guest who stays a day. */
async function inviteGuest(page) {
  await page.getByRole('button', { name: /^Invite/ }).first().click();
  await page.getByRole('radio', { name: /^A guest/ }).check();
  await page.getByRole('radio', { name: 'Day' }).check();
  await page.getByText(/and nothing else, until/).waitFor();
  await shot(page, 'invite');
  await page.getByRole('button', { name: 'Make an invitation' }).click();
  const link = await page.locator('[data-invite-link]').innerText();
  await page.keyboard.press('Escape');
  return link;
}

describe('a guest', () => {
  let browser, house, anna, guest;
  /** What anna's browser says of itself to the box. */
  let bearer = '';

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    anna.page.on('request', (request) => (bearer = request.headers().authorization ?? bearer));
    await setUp(anna.page, house, 'anna');
    await makeRoom(anna.page, 'Garden party', 'open');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('comes in by a name alone, and sees the one room', async () => {
    const link = await inviteGuest(anna.page);
    guest = await person(browser, PHONE);
    await guest.page.goto(link);
    await guest.page.getByRole('heading', { name: 'Visit The Lindens' }).waitFor();
    await guest.page.getByText(/You can stay as a guest until/).waitFor();
    assert.equal(await guest.page.getByLabel('Password').count(), 0);
    await shot(guest.page, 'visit');
    await guest.page.getByRole('button', { name: 'Come in as a guest' }).click();
    const name = guest.page.getByLabel('How shall the others call you?');
    assert.ok(await name.evaluate((field) => field === document.activeElement), 'asks for a name');
    await name.fill('Uncle Théo');
    await name.press('Enter');
    await composer(guest.page).waitFor();
    await write(guest.page, 'Shall I bring a cake?');
    await reads(anna.page, 'Shall I bring a cake?');
    await anna.page.locator('main').getByText('Uncle Théo').first().waitFor();
    await write(anna.page, 'Two of them');
    await reads(guest.page, 'Two of them');
  });

  test('is told how long, and offered nothing that is not theirs', async () => {
    await guest.page.goBack();
    const list = guest.page.getByRole('navigation', { name: 'Rooms of the house' });
    await list.getByText(/^Guest until/).waitFor();
    await shot(guest.page, 'list');
    assert.equal(await list.getByText('General').count(), 0);
    assert.equal(await list.getByRole('button', { name: 'New room' }).count(), 0);
    assert.equal(await list.getByRole('button', { name: 'People' }).count(), 0);
    await list.getByRole('button', { name: /Uncle Théo/ }).click();
    const settings = guest.page.getByRole('dialog', { name: 'Settings' });
    assert.equal(await settings.getByRole('button', { name: 'Password and keys' }).count(), 0);
    await settings.getByRole('button', { name: 'This browser' }).click();
    await guest.page.getByRole('button', { name: 'Sign out' }).click();
    await guest.page.getByText(/You are a guest without a password/).waitFor();
    await shot(guest.page, 'leaving');
    await guest.page.getByRole('button', { name: 'Stay' }).click();
    await guest.page.keyboard.press('Escape');
    await settings.waitFor({ state: 'detached' });
  });

  test('is still there after a reload', async () => {
    await guest.page.goto(`http://${house.http}/`);
    const list = guest.page.getByRole('navigation', { name: 'Rooms of the house' });
    await list.getByText('Garden party').first().click();
    await reads(guest.page, 'Two of them');
    await write(guest.page, 'With cherries');
    await reads(anna.page, 'With cherries');
  });

  test('is out when the time is over, and told so', async () => {
    const ask = (method, path, body) =>
      fetch(`http://${house.http}${path}`, {
        method,
        headers: { authorization: bearer, 'content-type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
    const { users } = await (await ask('GET', '/api/users/search?q=Uncle')).json();
    assert.equal(users[0].role, 'guest');
    const soon = { guest_until: Date.now() + 10_000 };
    assert.equal((await ask('PATCH', `/api/users/${users[0].id}`, soon)).status, 200);
    await guest.page.getByText('Your stay as a guest has ended.').waitFor({ timeout: 90_000 });
    await shot(guest.page, 'over');
    assert.deepEqual(guest.complaints, []);
    await guest.context.close();
  });

  test('has an account in a sealed room, and is told that it ends', async () => {
    await makeRoom(anna.page, 'Surprise', 'sealed');
    const link = await inviteGuest(anna.page);
    const other = await person(browser, PHONE);
    await other.page.goto(link);
    await other.page.getByText(/You come as a guest: your account ends on/).waitFor();
    await shot(other.page, 'join');
    await other.page.getByLabel('Your name').fill('ravi');
    await other.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await other.page.getByRole('button', { name: 'Come in' }).click();
    await keepSheet(other.page);
    await write(anna.page, 'She knows nothing');
    await reads(other.page, 'She knows nothing');
    assert.deepEqual(other.complaints, []);
    assert.deepEqual(anna.complaints, []);
    await other.context.close();
  });
});
