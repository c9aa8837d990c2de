// How it looks in Chromium: theme, language and the colours of rooms are chosen and stay; a tablet's
// drawer; the place to write above a phone's keyboard.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, openGeneral, person, reads, setUp,
  signIn, write,
} from './house.mjs';
import { makeOpenRoom } from './long_room.mjs';
import { faults, misplaced } from './sight.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const TABLET = { width: 820, height: 1180 };
const panel = (page) => page.getByRole('complementary');
const title = (page, name) => page.getByRole('main').getByRole('heading', { name, exact: true });
const colourOf = (found, property) =>
  found.evaluate((node, name) => getComputedStyle(node)[name], property);
const ownBubble = (page) => page.locator('main .own .bubble').last();

/** A phone's keyboard, which the visible part of the window makes room for. */
function keyboard() {
  const visible = new EventTarget();
  Object.assign(visible, { scale: 1, offsetTop: 0, height: innerHeight, width: innerWidth });
  Object.defineProperty(window, 'visualViewport', { get: () => visible });
  window.keyboard = (height) => {
    visible.height = innerHeight - height;
    visible.dispatchEvent(new Event('resize'));
  };
}

describe('looks', () => {
  let browser, house, anna, bert;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP, { colorScheme: 'light' });
    await setUp(anna.page, house, 'anna');
    bert = await person(browser, PHONE, { colorScheme: 'dark' });
    await join_(bert.page, await invite(anna.page), 'bert');
    await write(bert.page, 'Dinner at seven, see https://example.org');
    await reads(anna.page, 'bert');
    await write(anna.page, 'I come with **bread**');
    await makeOpenRoom(anna.page, 'Kitchen');
    await write(anna.page, 'The oven is on');
    await reads(anna.page, 'The oven is on');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  const look = async (page) => {
    await page.keyboard.press('Control+,');
    await page.getByRole('dialog').getByRole('button', { name: /^This browser|^Ce navigateur/ }).click();
  };

  const leave = async (page) => {
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };

  test('the theme is chosen against the device’s, and stays', async () => {
    const { page } = anna;
    const surface = () => colourOf(page.locator('main section').first(), 'backgroundColor');
    const light = await surface();
    await look(page);
    await page.getByRole('radio', { name: 'Dark' }).check();
    await leave(page);
    const dark = await surface();
    assert.notEqual(dark, light);
    await page.reload();
    await title(page, 'Kitchen').waitFor();
    assert.equal(await surface(), dark);
    await look(page);
    await page.getByRole('radio', { name: 'Like the device' }).check();
    await leave(page);
    assert.equal(await surface(), light);
  });

  test('the language is chosen, and stays', async () => {
    const { page } = anna;
    await look(page);
    await page.getByText('Français', { exact: true }).click();
    await page.getByRole('dialog').getByRole('heading', { name: 'Ce navigateur' }).waitFor();
    assert.equal(await page.locator('html').getAttribute('lang'), 'fr');
    await page.reload();
    await page.getByRole('dialog').getByRole('heading', { name: 'Ce navigateur' }).waitFor();
    await page.getByText('English', { exact: true }).click();
    await leave(page);
    await composer(page).waitFor();
  });

  for (const size of ['desktop', 'phone']) {
    test(`a room has a colour of its own on a ${size}, for one’s own eyes, in every shade readable`, async () => {
      const { page } = size === 'desktop' ? anna : bert;
      await openGeneral(page);
      const rooms = page.getByRole('navigation').locator('.rooms');
      if (size === 'desktop') await rooms.getByRole('button', { name: /^General/ }).click();
      await title(page, 'General').waitFor();
      await ownBubble(page).waitFor();
      const before = await colourOf(ownBubble(page), 'backgroundColor');
      await page.getByRole('button', { name: 'Room settings' }).click();
      const wrong = [];
      const seen = new Set([before]);
      for (const name of ['Honey', 'Lake', 'Plum', 'Slate', 'Moss']) {
        await panel(page).getByRole('radio', { name }).check();
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          const found = await faults(page, ['color-contrast']);
          wrong.push(...found.map((fault) => `${name} ${colorScheme} settings: ${fault}`));
          if (size === 'phone') await panel(page).getByRole('button', { name: 'Back' }).click();
          await ownBubble(page).hover();
          await page.screenshot({ path: join(shots, `looks-${size}-${name}-${colorScheme}.png`) });
          const more = await faults(page, ['color-contrast']);
          wrong.push(...more.map((fault) => `${name} ${colorScheme}: ${fault}`));
          if (colorScheme === 'light') seen.add(await colourOf(ownBubble(page), 'backgroundColor'));
          if (size === 'phone') await page.getByRole('button', { name: 'Room settings' }).click();
        }
      }
      assert.deepEqual(wrong, []);
      assert.equal(seen.size, 6, 'each is another');
      await page.emulateMedia({ colorScheme: size === 'desktop' ? 'light' : 'dark' });
      await panel(page).getByText('Moss.').waitFor();
      await page.keyboard.press('Escape');
      const moss = await colourOf(ownBubble(page), 'backgroundColor');
      await page.reload();
      await ownBubble(page).waitFor();
      await page.waitForFunction(
        ([wanted]) => getComputedStyle([...document.querySelectorAll('main .own .bubble')].at(-1)).backgroundColor === wanted,
        [moss],
      );
    });
  }

  test('another room and another browser keep theirs', async () => {
    const { page } = anna;
    const moss = await colourOf(ownBubble(page), 'backgroundColor');
    await page.getByRole('navigation').locator('.rooms').getByRole('button', { name: /^Kitchen/ }).click();
    await title(page, 'Kitchen').waitFor();
    assert.notEqual(await colourOf(ownBubble(page), 'backgroundColor'), moss);
    const other = await person(browser, DESKTOP, { colorScheme: 'light' });
    await signIn(other.page, house, 'anna');
    await ownBubble(other.page).waitFor();
    assert.notEqual(await colourOf(ownBubble(other.page), 'backgroundColor'), moss);
    await other.context.close();
  });

  test('a tablet has the rooms in a drawer, and a panel over the messages', async () => {
    const tablet = await person(browser, TABLET, { hasTouch: true });
    const { page } = tablet;
    await signIn(page, house, 'anna');
    const rooms = page.getByRole('navigation').locator('.rooms');
    assert.ok(!(await rooms.isVisible()));
    await page.getByRole('button', { name: 'Show the rooms' }).tap();
    await rooms.getByRole('button', { name: /^Kitchen/ }).waitFor();
    await page.screenshot({ path: join(shots, 'looks-tablet-drawer.png') });
    await page.keyboard.press('Escape');
    await rooms.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Show the rooms' }).tap();
    await rooms.getByRole('button', { name: /^Kitchen/ }).tap();
    await title(page, 'Kitchen').waitFor();
    await rooms.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: /^People: / }).tap();
    await panel(page).getByText('bert').waitFor({ state: 'detached' });
    await panel(page).getByText('anna').first().waitFor();
    await page.screenshot({ path: join(shots, 'looks-tablet-panel.png') });
    assert.deepEqual(await misplaced(page).then((all) => all.filter((one) => /window|wide/.test(one))), []);
    await page.keyboard.press('Escape');
    await panel(page).waitFor({ state: 'detached' });
    assert.deepEqual(tablet.complaints, []);
    await tablet.context.close();
  });

  test('one writes above a phone’s keyboard', async () => {
    const phone = await person(browser, PHONE, { hasTouch: true, isMobile: true });
    const { page } = phone;
    await phone.context.addInitScript(keyboard);
    await signIn(page, house, 'bert');
    const bottom = () => composer(page).evaluate((field) => field.getBoundingClientRect().bottom);
    assert.ok((await bottom()) > 700);
    await page.evaluate(() => window.keyboard(300));
    await page.waitForFunction(
      () => document.querySelector('main textarea').getBoundingClientRect().bottom <= innerHeight - 300,
    );
    // The newest message stays in view.
    await page.waitForFunction(() => {
      const end = [...document.querySelectorAll('main li[data-item]')].at(-1).getBoundingClientRect().bottom;
      return end <= document.querySelector('main textarea').getBoundingClientRect().bottom;
    });
    await page.evaluate(() => window.keyboard(0));
    await page.waitForFunction(() => document.querySelector('main textarea').getBoundingClientRect().bottom > 700);
    assert.deepEqual([...anna.complaints, ...bert.complaints, ...phone.complaints], []);
    await phone.context.close();
  });
});
