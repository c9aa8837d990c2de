// Beside the timeline in Chromium, two at once, in a sealed room: answers to one message, pins, reports,
// copying several messages.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, invite, join_, openChromium, person, reads, setUp, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const row = (page, text) => page.locator('main li[data-item]').filter({ hasText: text }).first();
const thread = (page) => page.getByRole('complementary', { name: 'Answers' });

async function choose(page, text, action) {
  await row(page, text).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: action, exact: true }).click();
}

describe('beside the timeline', () => {
  let browser, house, anna, bert;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    bert = await person(browser, PHONE);
    await setUp(anna.page, house, 'anna');
    await join_(bert.page, await invite(anna.page), 'bert');
    for (const text of ['Who cooks tonight?', 'The bin is full']) {
      await write(anna.page, text);
      await reads(bert.page, text);
    }
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('T shows the answers to a message; what is written there answers it', async () => {
    await row(anna.page, 'Who cooks').focus();
    await anna.page.keyboard.press('t');
    await thread(anna.page).getByText('No answers yet').waitFor();
    const field = thread(anna.page).getByLabel(/^Write to /);
    await field.fill('not me');
    await anna.page.keyboard.press('Enter');
    await thread(anna.page).getByText('not me').waitFor();
    const answer = row(bert.page, 'not me');
    await answer.waitFor();
    await answer.getByRole('button', { name: /^Reply to anna/ }).waitFor();
    await row(bert.page, 'Who cooks').getByRole('button', { name: '1 answer' }).click();
    await thread(bert.page).getByText('not me').waitFor();
    await thread(bert.page).getByLabel(/^Write to /).fill('me then');
    await bert.page.keyboard.press('Enter');
    await thread(anna.page).getByText('me then').waitFor();
    await thread(anna.page).getByText('2 answers').waitFor();
    assert.equal(await thread(anna.page).locator('li[data-item]').count(), 3);
    await bert.page.screenshot({ path: join(shots, 'phone-thread.png') });
    await anna.page.screenshot({ path: join(shots, 'desktop-thread.png') });
    await anna.page.keyboard.press('Escape');
    await thread(anna.page).waitFor({ state: 'hidden' });
    await thread(bert.page).getByRole('button', { name: 'Back' }).click();
  });

  test('a pinned message stands above for everyone until it is unpinned', async () => {
    await choose(anna.page, 'The bin is full', 'Pin');
    const pins = (page) => page.getByRole('region', { name: 'Pinned messages' });
    await pins(anna.page).getByText('The bin is full').waitFor();
    await pins(bert.page).getByText('The bin is full').waitFor();
    await pins(bert.page).getByRole('button').first().click();
    await row(bert.page, 'The bin is full').and(bert.page.locator(':focus')).waitFor();
    await bert.page.screenshot({ path: join(shots, 'phone-pin.png') });
    await row(bert.page, 'The bin is full').focus();
    await bert.page.keyboard.press('Enter');
    await bert.page.getByRole('menuitem', { name: 'Copy text' }).waitFor();
    assert.equal(await bert.page.getByRole('menuitem', { name: 'Unpin' }).count(), 0);
    await bert.page.keyboard.press('Escape');
    await choose(anna.page, 'The bin is full', 'Unpin');
    await pins(anna.page).waitFor({ state: 'hidden' });
    await pins(bert.page).waitFor({ state: 'hidden' });
  });

  test('a message is reported once, with a reason', async () => {
    await choose(bert.page, 'Who cooks', 'Report');
    const dialog = bert.page.getByRole('dialog');
    await dialog.getByLabel('What is wrong with it?').fill('too loud');
    await bert.page.screenshot({ path: join(shots, 'phone-report.png') });
    await dialog.getByRole('button', { name: 'Report' }).click();
    await dialog.getByText('It was reported').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
  });

  test('several messages are selected and copied, in their order', async () => {
    await anna.page.evaluate(() => {
      const written = [];
      Object.assign(window, { written });
      navigator.clipboard.writeText = async (text) => void written.push(text);
    });
    await choose(anna.page, 'me then', 'Select');
    await row(anna.page, 'Who cooks').click();
    await row(anna.page, 'The bin').click();
    await row(anna.page, 'The bin').click();
    await anna.page.getByText('2 messages selected').waitFor();
    await anna.page.screenshot({ path: join(shots, 'desktop-selection.png') });
    await anna.page.getByRole('button', { name: 'Copy text' }).click();
    const [text] = await anna.page.evaluate(() => window.written);
    assert.match(text, /^\[.*\] anna: Who cooks tonight\?\n\[.*\] bert: me then$/);
    await anna.page.getByLabel(/^Write to /).waitFor();
  });

  test('no page complained', () => {
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });
});
