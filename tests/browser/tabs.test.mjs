// Several tabs of one browser in Chromium: the one that was looked at last holds the connection, the others
// write through it, and any of them goes on where that one is closed, or this one is looked at or asked to.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  House, composer, invite, join_, openChromium, openGeneral, person, reads, setUp, until, write,
} from './house.mjs';

const elsewhere = (page) => page.getByText('Hearth is open in another tab.');

/** Chromium without a head shows every page: this one is told that somebody looks again. */
const looks = (page) =>
  page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));

describe('several tabs', () => {
  let browser, house, anna, bert, second;
  /** MQTT connections of Anna's browser that are open now. */
  const links = new Set();

  function count(page) {
    page.on('websocket', (socket) => {
      if (!socket.url().endsWith('/mqtt')) return;
      links.add(socket);
      socket.on('close', () => links.delete(socket));
    });
  }

  /** One connection stands, however long the other takes to close. */
  const one = () => until(() => links.size, 1);

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser);
    count(anna.page);
    await setUp(anna.page, house, 'anna');
    bert = await person(browser);
    await join_(bert.page, await invite(anna.page), 'bert');
    await write(bert.page, 'hello');
    await reads(anna.page, 'hello');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('hold one connection, the new one; what is written in the other goes out at once', async () => {
    second = await anna.context.newPage();
    second.on('pageerror', (error) => anna.complaints.push(String(error)));
    count(second);
    await second.goto(`http://${house.http}/`);
    await openGeneral(second);
    await reads(second, 'hello');
    await elsewhere(anna.page).waitFor();
    await write(bert.page, 'welcome');
    await reads(second, 'welcome');
    await one();
    await write(anna.page, 'from the first tab');
    await reads(bert.page, 'from the first tab');
    await reads(second, 'from the first tab');
    await one();
  });

  test('go on in the one that somebody looks at again', async () => {
    await looks(anna.page);
    await elsewhere(second).waitFor();
    await anna.page.locator('[data-connection=online]').waitFor({ state: 'attached' });
    for (const text of ['welcome', 'from the first tab']) await reads(anna.page, text);
    await one();
  });

  test('go on in the one that is asked to, with what came meanwhile', async () => {
    await write(bert.page, 'to the first tab');
    await reads(anna.page, 'to the first tab');
    await second.getByRole('button', { name: 'Go on here' }).click();
    await elsewhere(second).waitFor({ state: 'detached' });
    await elsewhere(anna.page).waitFor();
    await reads(second, 'to the first tab');
    await write(bert.page, 'to the second tab');
    await reads(second, 'to the second tab');
    await one();
  });

  test('go on by themselves where the one that led is closed', async () => {
    await composer(second).fill('written and closed');
    await second.keyboard.press('Enter');
    await reads(second, 'written and closed');
    await second.close();
    await elsewhere(anna.page).waitFor({ state: 'detached' });
    for (const { page } of [anna, bert]) await reads(page, 'written and closed');
    await write(bert.page, 'still there?');
    await reads(anna.page, 'still there?');
    await write(anna.page, 'yes');
    await reads(bert.page, 'yes');
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });
});
