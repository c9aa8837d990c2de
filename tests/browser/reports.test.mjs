// Reports of a sealed room in Chromium: the reporter shows the message or not, who runs the house reads it
// without being in the room, with what proves it, and who keeps order in the room decides it there.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, person, reads, setUp, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(shots, `reports-${name}.png`) });

const dialog = (page) => page.getByRole('dialog');
const button = (page, name) => dialog(page).getByRole('button', { name, exact: true });

/** The menu of the message with this text, at its report. */
async function beginReport(page, text) {
  await page.locator('main li[data-item]').filter({ hasText: text }).last().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Report' }).click();
  await dialog(page).getByLabel('Show them the message').waitFor();
}

async function report(page, reason) {
  await dialog(page).getByLabel('What is wrong with it?').fill(reason);
  await button(page, 'Report').click();
  await dialog(page).getByText('It was reported.').waitFor();
  await button(page, 'Close').last().click();
}

const card = (page, reason) => dialog(page).locator('article').filter({ hasText: reason });

describe('reports of a sealed room', () => {
  let browser, house, anna, bert, cleo;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    bert = await person(browser, DESKTOP);
    await join_(bert.page, await invite(anna.page), 'bert');
    await bert.page.getByRole('button', { name: 'New room' }).click();
    await dialog(bert.page).getByLabel('Name').fill('Band');
    await button(bert.page, 'Make the room').click();
    await bert.page.getByRole('main').getByRole('heading', { name: 'Band' }).waitFor();
    cleo = await person(browser, PHONE);
    await join_(cleo.page, await invite(bert.page), 'cleo');
    if (await cleo.page.getByRole('button', { name: 'Back' }).first().isVisible()) {
      await cleo.page.getByRole('button', { name: 'Back' }).first().click();
    }
    await cleo.page.getByRole('navigation').getByText('Band', { exact: true }).click();
    await composer(cleo.page).waitFor();
    await write(bert.page, 'cleo cannot sing');
    await reads(cleo.page, 'cleo cannot sing');
    await write(cleo.page, 'and bert is a goat');
    await reads(bert.page, 'and bert is a goat');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('say who would read the message, and show it only if that is ticked', async () => {
    await beginReport(cleo.page, 'cleo cannot sing');
    await dialog(cleo.page).getByText(/^anna can read it then/).waitFor();
    assert.equal(await dialog(cleo.page).getByLabel('Show them the message').isChecked(), false);
    await dialog(cleo.page).getByLabel('Show them the message').check();
    await shot(cleo.page, 'form-phone');
    await report(cleo.page, 'hurts');
  });

  test('are read by who runs the house without being in the room, with who signed it', async () => {
    await anna.page.evaluate(() => (location.hash = '#/settings/reports'));
    await card(anna.page, 'hurts').getByText('in a room that you are not in').waitFor();
    await card(anna.page, 'hurts').getByRole('button', { name: 'Show the message' }).click();
    await card(anna.page, 'hurts').getByText('cleo cannot sing').waitFor();
    await card(anna.page, 'hurts')
      .getByText('bert wrote this: it is signed with their keys.')
      .waitFor();
    await shot(anna.page, 'shown');
    await anna.page.emulateMedia({ colorScheme: 'dark' });
    await shot(anna.page, 'shown-dark');
    await anna.page.emulateMedia({ colorScheme: 'light' });
    await anna.page.keyboard.press('Escape');
  });

  test('come to who keeps order in the room, but for those about themselves', async () => {
    await beginReport(bert.page, 'and bert is a goat');
    await dialog(bert.page).getByText(/^anna and bert can read it then/).waitFor();
    await report(bert.page, 'no manners');
    await bert.page.getByRole('button', { name: 'Room settings' }).click();
    await bert.page.getByRole('link', { name: 'Reported messages' }).click();
    await dialog(bert.page).getByRole('heading', { name: 'Keeping order' }).waitFor();
    await card(bert.page, 'no manners').waitFor();
    assert.equal(await card(bert.page, 'hurts').count(), 0);
    assert.equal(await button(bert.page, 'House rules').count(), 0);
    await shot(bert.page, 'room');
    const decide = card(bert.page, 'no manners');
    assert.equal(await decide.getByRole('button', { name: 'Show the message' }).count(), 0);
    await decide.getByRole('button', { name: 'Decide' }).click();
    await decide.getByText('Delete the message').click();
    await decide.getByRole('button', { name: 'Decide' }).click();
    await dialog(bert.page).getByText(/^Nothing to decide\./).waitFor();
    await bert.page.keyboard.press('Escape');
    await cleo.page.getByText('[deleted]').first().waitFor();
    for (const { complaints } of [anna, bert, cleo]) assert.deepEqual(complaints, []);
  });
});
