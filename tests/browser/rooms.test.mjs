// The list of rooms in Chromium: who is there, what is half written, what is new and for whom, which comes
// first; and the way to the first message that is new.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, openGeneral, person, reads, setUp,
  signIn, until, write,
} from './house.mjs';
import { fill, makeOpenRoom, roomOf, tokenOf } from './long_room.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const list = (page) => page.getByRole('navigation');
const row = (page, name) => list(page).locator('.rooms').getByRole('button', { name });
const title = (page, name) => page.getByRole('main').getByRole('heading', { name, exact: true });
const order = (page) => list(page).locator('.rooms .name').allInnerTexts();

/** How many drafts the browser keeps. */
const kept = (page) =>
  page.evaluate(async () => {
    const open = indexedDB.open('hearth');
    const database = await new Promise((done) => (open.onsuccess = () => done(open.result)));
    const rows = database.transaction('meta').objectStore('meta').getAllKeys();
    const keys = await new Promise((done) => (rows.onsuccess = () => done(rows.result)));
    database.close();
    return keys.filter((key) => String(key).startsWith('draft/')).length;
  });

/** Waits until it keeps so many: a moment after the last key. */
async function keeps(page, drafts) {
  await until(() => kept(page), drafts);
}

describe('the list of rooms', () => {
  let browser, house, anna, bert, token;

  before(async () => {
    browser = await openChromium();
    house = await new House(['--limit', 'messages_per_10_s=0', '--limit', 'presence_grace_s=1']).start();
    anna = await person(browser, DESKTOP);
    token = tokenOf(anna.page);
    await setUp(anna.page, house, 'anna');
    bert = await person(browser, PHONE);
    await join_(bert.page, await invite(anna.page), 'bert');
    await write(bert.page, 'hello');
    await reads(anna.page, 'hello');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('leads to people from the box above it, and says whether they are there', async () => {
    const { page } = anna;
    await list(page).getByRole('button', { name: 'Go to a room or a person' }).click();
    await page.getByRole('option', { name: /bert/ }).click();
    await title(page, 'bert').waitFor();
    await write(page, 'just us two');
    await reads(page, 'just us two');
    await row(page, /^bert Sealed\. here now\./).waitFor();
    await bert.context.close();
    await row(page, /^bert Sealed\. here now\./).waitFor({ state: 'detached' });
    bert = await person(browser, PHONE);
    await signIn(bert.page, house, 'bert');
    await row(page, /^bert Sealed\. here now\./).waitFor();
    await page.screenshot({ path: join(shots, 'rooms-presence.png') });
  });

  test('keeps what is half written in each room, and shows it, also after a reload', async () => {
    const { page } = anna;
    await row(page, /^General/).click();
    await title(page, 'General').waitFor();
    await composer(page).fill('half a thought');
    await row(page, /^bert/).click();
    await title(page, 'bert').waitFor();
    assert.equal(await composer(page).inputValue(), '');
    await composer(page).fill('another one');
    await row(page, /^General.*Draft: half a thought/).waitFor();
    await keeps(page, 2);
    await page.reload();
    await title(page, 'bert').waitFor();
    assert.equal(await composer(page).inputValue(), 'another one');
    await row(page, /^General.*Draft: half a thought/).click();
    await title(page, 'General').waitFor();
    assert.equal(await composer(page).inputValue(), 'half a thought');
    await row(page, /^bert.*Draft: another one/).waitFor();
    await page.screenshot({ path: join(shots, 'rooms-drafts.png') });
    await composer(page).fill('');
    await row(page, /^bert/).click();
    await title(page, 'bert').waitFor();
    await composer(page).fill('');
    await keeps(page, 0);
  });

  test('has the newest message first, with how many are new and whether one is named', async () => {
    const { page } = anna;
    assert.deepEqual(await order(page), ['bert', 'General']);
    await openGeneral(bert.page);
    await write(bert.page, 'nothing special');
    await write(bert.page, 'is it, @anna?');
    await row(page, /^General.*is it, @anna\?.*you are mentioned.*2 new messages/).waitFor();
    assert.deepEqual(await order(page), ['General', 'bert']);
    assert.match(await page.title(), /^\(2\) /);
    await page.screenshot({ path: join(shots, 'rooms-new.png') });
    await row(page, /^General/).click();
    await row(page, /new message/).waitFor({ state: 'detached' });
    assert.equal(await row(page, /you are mentioned/).count(), 0);
  });

  test('leads to where one left off: what is new above is counted, and a tap goes to the first', async () => {
    await makeOpenRoom(anna.page, 'Kitchen');
    const room = await roomOf(house, token(), 'Kitchen');
    await fill(house, token(), room, 30);
    await reads(anna.page, 'note 30');
    await bert.page.getByRole('button', { name: 'Back' }).first().click();
    await bert.page.getByRole('button', { name: 'New room' }).click();
    await bert.page.getByRole('button', { name: 'See the rooms you can join' }).click();
    await bert.page.getByRole('dialog').getByRole('button', { name: 'Join Kitchen' }).click();
    await title(bert.page, 'Kitchen').waitFor();
    await reads(bert.page, 'note 30');
    await bert.page.goBack();
    await row(bert.page, /^General/).click();
    await title(bert.page, 'General').waitFor();
    await fill(house, token(), room, 40, (event, n) => ({ content: `fresh ${n}\n${event.content}` }));
    await bert.page.goBack();
    await row(bert.page, /^Kitchen.*40 new messages/).click();
    await title(bert.page, 'Kitchen').waitFor();
    const first = bert.page.locator('main li[data-item]').filter({ hasText: /fresh 1\n/ });
    const above = bert.page.getByRole('button', { name: '40 new messages', exact: true });
    await above.waitFor();
    await bert.page.screenshot({ path: join(shots, 'rooms-new-above.png') });
    await above.click();
    await first.waitFor();
    await bert.page.waitForFunction(() => /fresh 1\n/.test(document.activeElement?.innerText ?? ''));
    await bert.page.locator('main .new').waitFor();
    await above.waitFor({ state: 'detached' });
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });
});
