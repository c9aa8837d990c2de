// Searching in Chromium: the own history of a sealed room, filters, going there; links to messages; days.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, invite, join_, openChromium, person, reads, setUp, signIn, until, write,
} from './house.mjs';
import { fill, makeOpenRoom, roomOf, tokenOf } from './long_room.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const NOTES = 400;
const row = (page, text) => page.locator('main li[data-item]').filter({ hasText: text });
const field = (page) => page.getByRole('searchbox', { name: 'Search' });
const hits = (page) => page.getByRole('list', { name: 'Found messages' }).getByRole('listitem');

/** Types words until the index knows what is looked for: it reads on in the background. */
async function search(page, text, wanted) {
  if (!(await field(page).isVisible())) await page.keyboard.press('Control+f');
  for (let tries = 0; tries < 60; tries += 1) {
    await field(page).fill('');
    await field(page).fill(text);
    const found = await hits(page)
      .filter({ hasText: wanted })
      .first()
      .waitFor({ timeout: 1_000 })
      .then(() => true, () => false);
    if (found) return;
  }
  throw new Error(`"${text}" never found "${wanted}"`);
}

/** Waits until the message has the focus: what leads to it has its words too. */
const arrived = (page, text) => row(page, text).and(page.locator(':focus')).waitFor();

/** A day, and so many after it, as fields for dates have it. */
const dayOf = (page, at, days = 0) =>
  page.evaluate(([ms, n]) => {
    const day = new Date(ms);
    day.setDate(day.getDate() + n);
    return day.toLocaleDateString('sv');
  }, [at, days]);

describe('searching', () => {
  let browser, house, anna, bert, token;
  /** When the first of the messages was written: midnight may be between it and the others. */
  let began, filled;

  before(async () => {
    browser = await openChromium();
    house = await new House(['--limit', 'messages_per_10_s=0']).start();
    anna = await person(browser, DESKTOP);
    bert = await person(browser, PHONE);
    token = tokenOf(anna.page);
    await setUp(anna.page, house, 'anna');
    await join_(bert.page, await invite(anna.page), 'bert');
    began = Date.now();
    for (const text of ['soup at noon', 'Crème brûlée for Zoë', 'bring spoons']) {
      await write(anna.page, text);
      await reads(bert.page, text);
    }
    await makeOpenRoom(anna.page, 'Kitchen');
    const room = await roomOf(house, token(), 'Kitchen');
    filled = Date.now();
    await fill(house, token(), room, NOTES, (event, n) =>
      n === 7 ? { content: 'the spare key: see https://key.example/x' } : event,
    );
    await reads(anna.page, `note ${NOTES}`);
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('finds in a sealed room without accents, with what stood before and after', async () => {
    await anna.page.getByRole('navigation').getByText('General').first().click();
    await anna.page.getByRole('heading', { name: 'General' }).waitFor();
    await search(anna.page, 'creme zoe', 'Crème brûlée for Zoë');
    const hit = hits(anna.page).first();
    await hit.getByText('anna: soup at noon').waitFor();
    await hit.getByText('anna: bring spoons').waitFor();
    assert.deepEqual(await hit.locator('mark').allInnerTexts(), ['Crème', 'Zoë']);
    await anna.page.screenshot({ path: join(shots, 'desktop-search.png') });
    await anna.page.emulateMedia({ colorScheme: 'dark' });
    await anna.page.screenshot({ path: join(shots, 'desktop-search-dark.png') });
    await anna.page.emulateMedia({ colorScheme: 'light' });
  });

  test('a hit in another room, far up, leads there', async () => {
    await anna.page.getByRole('button', { name: 'In all rooms' }).click();
    await anna.page.getByRole('button', { name: 'With a link' }).click();
    await search(anna.page, 'key', 'the spare key');
    await hits(anna.page).first().getByRole('button').click();
    await anna.page.getByRole('heading', { name: 'Kitchen' }).waitFor();
    await arrived(anna.page, 'the spare key');
    const inView = () =>
      row(anna.page, 'the spare key').evaluate((one) => {
        const place = one.getBoundingClientRect();
        return place.top > 60 && place.bottom < innerHeight - 60;
      });
    await until(inView, true);
    await anna.page.getByRole('button', { name: /Jump to the newest|newest/ }).first().click();
    await row(anna.page, `note ${NOTES}`).waitFor();
  });

  test('the link of a message leads to it, in a message, in the address, in a new page', async () => {
    await anna.page.evaluate(() => {
      const written = [];
      Object.assign(window, { written });
      navigator.clipboard.writeText = async (text) => void written.push(text);
    });
    await search(anna.page, 'key', 'the spare key');
    await hits(anna.page).first().getByRole('button').click();
    await arrived(anna.page, 'the spare key');
    await anna.page.keyboard.press('Enter');
    await anna.page.getByRole('menuitem', { name: 'Copy link' }).click();
    const [link] = await anna.page.evaluate(() => window.written);
    assert.match(link, /\/#\/rooms\/[0-9a-f-]{36}\/m\/\d+$/);
    await anna.page.reload();
    await row(anna.page, `note ${NOTES}`).waitFor();
    await anna.page.evaluate((to) => (location.href = to), link);
    await arrived(anna.page, 'the spare key');
    assert.ok(!anna.page.url().includes('#'), 'the address is plain again');
    await anna.page.getByRole('navigation').getByText('General').first().click();
    await anna.page.getByRole('heading', { name: 'General' }).waitFor();
    await write(anna.page, `look here: ${link}`);
    await row(anna.page, 'look here').getByRole('link').click();
    await arrived(anna.page, 'the spare key');
    const second = await anna.context.newPage();
    await second.goto(link);
    await row(second, 'the spare key').waitFor();
    await second.close();
  });

  test('a day leads to its first message', async () => {
    await anna.page.getByRole('navigation').getByText('Kitchen').first().click();
    await anna.page.getByRole('heading', { name: 'Kitchen' }).waitFor();
    await anna.page.keyboard.press('Control+f');
    if (!(await field(anna.page).isVisible())) await anna.page.keyboard.press('Control+f');
    await anna.page.getByLabel('Go to a day').fill(await dayOf(anna.page, filled));
    await anna.page.getByRole('button', { name: 'Go', exact: true }).click();
    await row(anna.page, 'note 1').first().waitFor();
  });

  test('filters by who wrote, when, and with a file', async () => {
    const { page } = anna;
    await page.getByRole('navigation').getByText('General').first().click();
    await page.getByRole('heading', { name: 'General' }).waitFor();
    await write(bert.page, 'spoons are here');
    await reads(page, 'spoons are here');
    await page.locator('input[type=file]').first().setInputFiles([
      { name: 'list.pdf', mimeType: 'application/pdf', buffer: Buffer.from('%PDF-1.7 spoons') },
    ]);
    await page.getByRole('list', { name: 'Files to send' }).getByText('list.pdf').waitFor();
    await write(page, 'the list of spoons');
    await reads(bert.page, 'the list of spoons');
    await search(page, 'spoons', 'the list of spoons');
    await search(page, 'spoons', 'spoons are here');
    const found = async (...wanted) => {
      const n = wanted.length;
      const said = n === 0 ? 'Nothing found.' : n === 1 ? '1 message.' : `${n} messages.`;
      await page.getByRole('status').getByText(said, { exact: true }).waitFor();
      for (const text of wanted) await hits(page).filter({ hasText: text }).first().waitFor();
      assert.equal(await hits(page).count(), wanted.length);
    };
    await found('the list of spoons', 'spoons are here', 'bring spoons');
    await page.getByLabel('Written by').selectOption({ label: 'bert' });
    await found('spoons are here');
    await page.getByLabel('Written by').selectOption({ label: 'Anybody' });
    await page.getByRole('button', { name: 'With a file' }).click();
    await found('the list of spoons');
    await page.getByRole('button', { name: 'With a file' }).click();
    const ended = Date.now();
    await page.getByLabel('Until').fill(await dayOf(page, began, -1));
    await found();
    await page.getByLabel('Until').fill(await dayOf(page, ended));
    await page.getByLabel('From', { exact: true }).fill(await dayOf(page, began));
    await found('the list of spoons', 'spoons are here', 'bring spoons');
    await page.getByLabel('From', { exact: true }).fill(await dayOf(page, ended, 1));
    await found();
    await page.keyboard.press('Escape');
  });

  test('says since when it searches while older ones are read, and finds them by itself', async () => {
    const { context, page, complaints } = await person(browser, DESKTOP);
    let letOn;
    const held = new Promise((done) => (letOn = done));
    await page.route(/\/messages\?.*before=/, async (route) => {
      await held;
      await route.continue();
    });
    await signIn(page, house, 'anna');
    await page.getByRole('navigation').getByText('Kitchen').first().click();
    await page.getByRole('heading', { name: 'Kitchen' }).waitFor();
    await page.keyboard.press('Control+f');
    await field(page).fill('spare');
    const status = page.getByRole('status');
    await status.getByText(/^Nothing found\. Messages since \d+ \w+ \d{4} are searched; older/).waitFor();
    await page.screenshot({ path: join(shots, 'desktop-search-covers.png') });
    letOn();
    await hits(page).filter({ hasText: 'the spare key' }).waitFor();
    await status.getByText('1 message.', { exact: true }).waitFor();
    assert.deepEqual(complaints, []);
    await context.close();
  });

  test('on a phone a hit closes the search and shows the message', async () => {
    await bert.page.getByRole('button', { name: 'Search' }).first().click();
    await search(bert.page, 'spo', 'bring spoons');
    await bert.page.screenshot({ path: join(shots, 'phone-search.png') });
    await hits(bert.page).first().getByRole('button').click();
    await row(bert.page, 'bring spoons').waitFor();
  });

  test('after log-out nothing of the index is left', async () => {
    const kept = (page) =>
      page.evaluate(async () => {
        const open = indexedDB.open('hearth');
        const database = await new Promise((done) => (open.onsuccess = () => done(open.result)));
        const rows = database.transaction('meta').objectStore('meta').getAllKeys();
        const keys = await new Promise((done) => (rows.onsuccess = () => done(rows.result)));
        database.close();
        return keys.filter((key) => String(key).startsWith('search/'));
      });
    await until(async () => (await kept(anna.page)).length > 0, true);
    await anna.page.keyboard.press('Control+,');
    await anna.page.getByRole('button', { name: 'This browser' }).click();
    await anna.page.getByRole('button', { name: 'Sign out' }).click();
    await anna.page.getByRole('group').getByRole('button', { name: 'Sign out' }).click();
    await anna.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    assert.deepEqual(await kept(anna.page), []);
  });

  test('no page complained', () => {
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });
});
