// A long room in Chromium: scrolling both ways with the place held, going far away and back.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, person, reads, setUp, signIn, until,
  write,
} from './house.mjs';
import { fill, makeOpenRoom, roomOf, tokenOf } from './long_room.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const MESSAGES = 1_500;
/** For all of them to be scrolled through, however slow the machine is. */
const SCROLLING_MS = 120_000;
const row = (page, text) => page.locator('li[data-item]').filter({ hasText: text }).last();
const box = (page) => page.locator('main [role=region]').first();

/** Where a row stands, in px from the top of what scrolls. */
const topOf = (page, text) =>
  row(page, text).evaluate((element) => {
    const region = element.closest('[role=region]');
    return element.getBoundingClientRect().top - region.getBoundingClientRect().top;
  });

/** The first row that is wholly in view, and where. */
const firstInView = (page) =>
  box(page).evaluate((region) => {
    const { top } = region.getBoundingClientRect();
    const found = [...region.querySelectorAll('li[data-item]')].find(
      (one) => one.getBoundingClientRect().top >= top,
    );
    return { id: found?.dataset.item, top: found.getBoundingClientRect().top - top };
  });

/** Two frames, so that what was scrolled to is drawn. */
const drawn = (page) =>
  page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  describe(`in a long room on a ${size}`, () => {
    let browser, house, anna, bert, token, room;

    before(async () => {
      browser = await openChromium();
      house = await new House(['--limit', 'messages_per_10_s=0']).start();
      anna = await person(browser, viewport);
      bert = await person(browser, DESKTOP);
      token = tokenOf(anna.page);
      await setUp(anna.page, house, 'anna');
      await makeOpenRoom(anna.page, 'Kitchen');
      await join_(bert.page, await invite(anna.page), 'bert');
      await bert.page.getByRole('navigation').getByText('Kitchen').click();
      await bert.page.getByRole('heading', { name: 'Kitchen' }).waitFor();
      room = await roomOf(house, token(), 'Kitchen');
      await fill(house, token(), room, MESSAGES);
      await reads(anna.page, `note ${MESSAGES}`);
    });

    after(async () => {
      await browser?.close();
      await house?.end();
    });

    test('only what is in view is in the page, as one list', async () => {
      assert.ok((await anna.page.locator('main ol > li').count()) < 80);
      const last = row(anna.page, `note ${MESSAGES}`);
      assert.ok(Number(await last.getAttribute('aria-posinset')) > 0);
    });

    test('scrolling up brings older pages, and nothing jumps', async () => {
      let lowest = MESSAGES;
      const end = Date.now() + SCROLLING_MS;
      for (let steps = 0; lowest > 1 && Date.now() < end; steps += 1) {
        await box(anna.page).evaluate((region) => (region.scrollTop -= 500));
        await drawn(anna.page);
        if (steps % 40 === 0) {
          const before = await firstInView(anna.page);
          await drawn(anna.page);
          await drawn(anna.page);
          const after = await firstInView(anna.page);
          assert.equal(after.id, before.id, 'the same message is the first in view');
          assert.ok(Math.abs(after.top - before.top) < 2, 'and stands where it stood');
        }
        const text = await anna.page.locator('li[data-item]').first().innerText();
        lowest = Math.min(lowest, Number(/note (\d+)/.exec(text)?.[1] ?? lowest));
      }
      assert.equal(lowest, 1, 'the first message was reached');
      assert.ok((await anna.page.locator('main ol > li').count()) < 80);
      await anna.page.screenshot({ path: join(shots, `${size}-long-beginning.png`) });
    });

    test('what comes meanwhile is counted and moves nothing; the arrow leads to it', async () => {
      const before = await firstInView(anna.page);
      await write(bert.page, 'soup is ready');
      await anna.page.getByRole('button', { name: /^One new message|^1 new/ }).waitFor();
      const after = await firstInView(anna.page);
      assert.deepEqual(after, before);
      await anna.page.getByRole('button', { name: /^One new message|^1 new/ }).click();
      await reads(anna.page, 'soup is ready');
      await anna.page.waitForFunction(() => {
        const region = document.querySelector('main [role=region]');
        return region.scrollHeight - region.scrollTop - region.clientHeight < 2;
      });
    });

    test('older messages that come late hold the place, at the very top too', async () => {
      const other = await person(browser, viewport);
      const { page } = other;
      // What is older comes when it is let through.
      let [asked, letThrough] = [0, () => undefined];
      const late = new Promise((resolve) => (letThrough = resolve));
      await page.route(/\/messages\?.*before=/, async (route) => {
        asked += 1;
        await late;
        await route.continue();
      });
      await signIn(page, house, 'anna');
      if (size === 'phone') await page.getByRole('button', { name: 'Back' }).first().click();
      await page.getByRole('navigation').getByText('Kitchen', { exact: true }).first().click();
      await reads(page, 'soup is ready');
      const toTop = async () => {
        await box(page).evaluate((region) => (region.scrollTop = 0));
        await drawn(page);
        return asked > 0 && box(page).evaluate((region) => region.scrollTop === 0);
      };
      await until(toTop, true);
      const before = await firstInView(page);
      letThrough();
      await page.waitForFunction(() => document.querySelector('main [role=region]').scrollTop > 1_000);
      await drawn(page);
      const after = await box(page).evaluate((region, id) => {
        const row = region.querySelector(`li[data-item="${id}"]`);
        return row.getBoundingClientRect().top - region.getBoundingClientRect().top;
      }, before.id);
      assert.ok(Math.abs(after - before.top) < 2, `${after} px, it stood at ${before.top}`);
      assert.deepEqual(other.complaints, []);
      await other.context.close();
    });

    test('no page complained', () => {
      assert.deepEqual([...anna.complaints, ...bert.complaints], []);
    });
  });
}
