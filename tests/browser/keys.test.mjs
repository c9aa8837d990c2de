// The keys of the help sheet in Chromium: where they lead, what they close, and that the sheet tells the
// truth. What keys do on a message stands in messages.test.mjs, by_ear.test.mjs and thread.test.mjs.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  House, composer, invite, join_, openChromium, openGeneral, person, reads, setUp, write,
} from './house.mjs';
import { fill, makeOpenRoom, roomOf, tokenOf } from './long_room.mjs';

const title = (page, name) => page.getByRole('main').getByRole('heading', { name, exact: true });
const dialog = (page) => page.getByRole('dialog');
const goTo = (page) => page.getByRole('combobox', { name: 'Go to a room or a person' });
const focused = (page) =>
  page.evaluate(() => (document.activeElement === document.body ? '' : document.activeElement.tagName));

/** Rooms besides the general one, the newest last: the list shows it first. */
const ROOMS = ['Attic', 'Barn', 'Cellar'];
const MANY = 14;

describe('keys', () => {
  let browser, house, anna, bert, token;

  before(async () => {
    browser = await openChromium();
    house = await new House(['--limit', 'messages_per_10_s=0']).start();
    anna = await person(browser);
    token = tokenOf(anna.page);
    await setUp(anna.page, house, 'anna');
    bert = await person(browser);
    await join_(bert.page, await invite(anna.page), 'bert');
    await write(bert.page, 'hello');
    await reads(anna.page, 'hello');
    for (const name of ROOMS) {
      await makeOpenRoom(anna.page, name);
      await write(anna.page, `first in ${name}`);
      await anna.page.locator('[data-delivery=stored]').last().waitFor();
    }
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('Alt and arrows go through the rooms as the list shows them, around its ends', async () => {
    const { page } = anna;
    const listed = await page.getByRole('navigation').locator('.rooms .name').allInnerTexts();
    assert.deepEqual(listed, ['Cellar', 'Barn', 'Attic', 'General'], 'the newest message first');
    await title(page, 'Cellar').waitFor();
    for (const [keys, name] of [
      ['Alt+ArrowDown', 'Barn'], ['Alt+ArrowDown', 'Attic'], ['Alt+ArrowUp', 'Barn'],
      ['Alt+ArrowUp', 'Cellar'], ['Alt+ArrowUp', 'General'], ['Alt+ArrowDown', 'Cellar'],
    ]) {
      await page.keyboard.press(keys);
      await title(page, name).waitFor();
    }
  });

  test('with Shift they go where something is new', async () => {
    const { page } = anna;
    await write(bert.page, 'something new');
    const general = page.getByRole('navigation').getByRole('button', { name: /General/ });
    await general.filter({ hasText: '1 new message' }).waitFor();
    await page.keyboard.press('Alt+Shift+ArrowDown');
    await title(page, 'General').waitFor();
    await reads(page, 'something new');
    await page.keyboard.press('Alt+Shift+ArrowUp');
    await title(page, 'General').waitFor();
  });

  test('Ctrl K finds a room, and what the arrows choose stays in view', async () => {
    const { page } = anna;
    await page.keyboard.press('Control+k');
    await goTo(page).fill('bar');
    await page.keyboard.press('Enter');
    await title(page, 'Barn').waitFor();
    await dialog(page).waitFor({ state: 'detached' });
    for (let n = 0; n < MANY; n += 1) {
      const answer = await fetch(`http://${house.http}/api/rooms`, {
        method: 'POST',
        headers: { authorization: token(), 'content-type': 'application/json' },
        body: JSON.stringify({ name: `Shed ${n}`, type: 'public', sealing: 'open' }),
      });
      assert.equal(answer.status, 201);
    }
    await page.reload();
    await openGeneral(page);
    await page.getByRole('navigation').getByText(`Shed ${MANY - 1}`, { exact: true }).waitFor();
    await page.keyboard.press('Control+k');
    for (let n = 0; n < MANY + 3; n += 1) await page.keyboard.press('ArrowDown');
    const seen = await page.getByRole('option', { selected: true }).evaluate((row) => {
      const [one, list] = [row, row.parentElement].map((node) => node.getBoundingClientRect());
      return one.top >= list.top - 1 && one.bottom <= list.bottom + 1;
    });
    assert.ok(seen);
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
  });

  test('Ctrl K finds a person, and begins to write to them', async () => {
    const { page } = anna;
    await page.keyboard.press('Control+k');
    await goTo(page).fill('ber');
    await page.getByRole('option', { name: /bert/ }).waitFor();
    await page.keyboard.press('Enter');
    await title(page, 'bert').waitFor();
    await write(page, 'only for you');
    await bert.page.getByRole('navigation').getByText('only for you').waitFor();
    // From now on it is a room like another, found once.
    await page.keyboard.press('Control+k');
    await goTo(page).fill('bert');
    assert.equal(await page.getByRole('option', { name: /bert/ }).count(), 1);
    await page.keyboard.press('Enter');
    await title(page, 'bert').waitFor();
  });

  test('Esc closes what is open, one after the other, then jumps to the newest', async () => {
    const { page } = anna;
    await page.keyboard.press('Control+k');
    await goTo(page).fill('cellar');
    await page.keyboard.press('Enter');
    await title(page, 'Cellar').waitFor();
    await fill(house, token(), await roomOf(house, token(), 'Cellar'), 40);
    await reads(page, 'note 40');
    const box = page.locator('main [role=region]').first();
    await box.evaluate((region) => (region.scrollTop = 0));
    await page.getByRole('button', { name: 'To the newest message' }).waitFor();
    await page.keyboard.press('Control+f');
    await page.getByRole('searchbox', { name: 'Search' }).waitFor();
    await page.keyboard.press('?');
    assert.equal(await dialog(page).count(), 0, 'in a field it is a letter');
    await page.keyboard.press('Escape');
    await page.getByRole('complementary').waitFor({ state: 'detached' });
    assert.ok(await box.evaluate((region) => region.scrollTop < 200), 'the place was held');
    await page.keyboard.press('Escape');
    await page.waitForFunction(() => {
      const region = document.querySelector('main [role=region]');
      return region.scrollHeight - region.scrollTop - region.clientHeight < 2;
    });
  });

  test('? shows all keys, as they are set; Ctrl and comma the settings; the focus comes back', async () => {
    const { page } = anna;
    const line = (what) =>
      dialog(page).locator('dl > div').filter({ has: page.getByText(what, { exact: true }) }).locator('kbd');
    await page.locator('main li[data-item]').last().focus();
    const before = await focused(page);
    await page.keyboard.press('?');
    await dialog(page).getByRole('heading', { name: 'Keys' }).waitFor();
    assert.deepEqual(await line('Send').allInnerTexts(), ['↵']);
    assert.deepEqual(await line('New line').allInnerTexts(), ['⇧', '↵']);
    assert.deepEqual(await line('The answers to it').allInnerTexts(), ['T']);
    await page.keyboard.press('Escape');
    await dialog(page).waitFor({ state: 'detached' });
    assert.equal(await focused(page), before);
    await page.keyboard.press('Control+,');
    await dialog(page).getByRole('button', { name: 'This browser' }).click();
    await page.getByRole('radio', { name: /^Begins a new line/ }).check();
    await dialog(page).getByRole('button', { name: 'All keys' }).click();
    await dialog(page).getByRole('heading', { name: 'Keys' }).waitFor();
    assert.deepEqual(await line('Send').allInnerTexts(), ['Ctrl', '↵']);
    assert.deepEqual(await line('New line').allInnerTexts(), ['↵']);
    await page.keyboard.press('Escape');
    await composer(page).waitFor();
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });
});
