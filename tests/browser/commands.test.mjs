// What a slash and a `#` do in Chromium: commands act on the box, and rooms are named and followed.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, openGeneral, person, reads, setUp,
  write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(shots, `commands-${name}.png`) });

async function makeRoom(page, name) {
  await page.getByRole('button', { name: 'New room' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByRole('button', { name: 'Make the room' }).click();
  await title(page, name).waitFor();
}

const title = (page, name) => page.getByRole('main').getByRole('heading', { name, exact: true });
const offers = (page) => page.getByRole('listbox').getByRole('option');
const said = (page, text) => page.locator('main').getByRole('status').getByText(text).waitFor();

describe('while writing', () => {
  let browser, house, anna, bert;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    await makeRoom(anna.page, 'Garden party');
    const link = await invite(anna.page);
    bert = await person(browser, PHONE);
    await join_(bert.page, link, 'bert');
    await anna.page.getByText('bert came in').first().waitFor();
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('a room is completed, and its name leads there', async () => {
    await openGeneral(anna.page);
    await anna.page.getByRole('navigation').getByRole('button', { name: /General/ }).first().click();
    await title(anna.page, 'General').waitFor();
    await composer(anna.page).pressSequentially('Cake is in #par');
    await offers(anna.page).getByText('#Garden party').waitFor();
    await anna.page.keyboard.press('Tab');
    assert.equal(await composer(anna.page).inputValue(), 'Cake is in #Garden party ');
    await anna.page.keyboard.press('Enter');
    const link = anna.page.locator('main').getByRole('link', { name: '#Garden party' });
    await link.waitFor();
    await shot(anna.page, 'room-link');
    await link.click();
    await title(anna.page, 'Garden party').waitFor();
    assert.ok(!anna.page.url().includes('#'), 'the address stays the house');
  });

  test('commands are offered by what one may do here', async () => {
    await composer(anna.page).fill('/');
    await offers(anna.page).getByText('/kick').waitFor();
    await shot(anna.page, 'offers');
    await composer(anna.page).fill('');
    await bert.page.getByRole('button', { name: 'Back' }).first().click();
    await bert.page.getByRole('navigation').getByText('Garden party', { exact: true }).first().click();
    await title(bert.page, 'Garden party').waitFor();
    await composer(bert.page).fill('/');
    await offers(bert.page).getByText('/leave').waitFor();
    assert.equal(await offers(bert.page).getByText('/kick').count(), 0);
    await shot(bert.page, 'offers-phone');
    await composer(bert.page).fill('');
  });

  test('what is missing is said, and nothing is sent', async () => {
    await write(anna.page, '/kick');
    await anna.page.getByText('It is written /kick @name …').waitFor();
    await write(anna.page, '/mute @nina');
    await anna.page.getByText('Nobody here is called @nina.').waitFor();
    assert.equal(await composer(anna.page).inputValue(), '/mute @nina', 'the text is not lost');
    await composer(anna.page).fill('');
  });

  test('a status, a topic and a name are set', async () => {
    await write(anna.page, '/status At the stove');
    await said(anna.page, 'Your status: At the stove');
    await shot(anna.page, 'done');
    await write(anna.page, '/busy');
    await said(anna.page, 'You are shown as busy.');
    await write(anna.page, '/topic Cakes and chairs');
    await said(anna.page, 'The room has a new topic.');
    await write(anna.page, '/rename Summer party');
    await said(anna.page, 'The room is called Summer party now.');
    await title(anna.page, 'Summer party').waitFor();
    await title(bert.page, 'Summer party').waitFor();
    await write(anna.page, '/notify none');
    await said(anna.page, 'This room alerts you to nothing.');
  });

  test('somebody is kept quiet, let write again, sent out and let back', async () => {
    await write(anna.page, '/mute @bert 30m late');
    await said(anna.page, 'bert can read only.');
    await write(anna.page, '/unmute @bert');
    await said(anna.page, 'bert can write again.');
    await write(bert.page, 'Thank you');
    await reads(anna.page, 'Thank you');
    await write(anna.page, '/ban @bert 1d enough');
    await said(anna.page, 'bert is out and cannot come back.');
    await bert.page.getByRole('navigation').getByText('Summer party').waitFor({ state: 'detached' });
    await write(anna.page, '/unban @bert');
    await said(anna.page, 'bert can come back.');
  });

  test('one writes to somebody alone, and leaves', async () => {
    await anna.page.getByRole('navigation').getByRole('button', { name: /General/ }).first().click();
    await title(anna.page, 'General').waitFor();
    await write(anna.page, '/msg @bert');
    await title(anna.page, 'bert').waitFor();
    await write(anna.page, 'No hard feelings');
    await anna.page.getByRole('navigation').getByText('Summer party', { exact: true }).first().click();
    await title(anna.page, 'Summer party').waitFor();
    await write(anna.page, '/help');
    await anna.page.getByRole('dialog', { name: 'How to write' }).waitFor();
    await shot(anna.page, 'help');
    await anna.page.keyboard.press('Escape');
    for (const { complaints } of [anna, bert]) assert.deepEqual(complaints, []);
  });
});
