// What people do with messages, in Chromium, two at once, in a sealed and in an open room: answer,
// edit, react, delete; typing, ticks, what is new; by mouse, by keyboard and with a finger.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, person, reads, setUp, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

/** The row of a message by its text. */
const row = (page, text) => page.locator('li[data-item]').filter({ hasText: text }).last();

/** Chooses from a message's menu, opened by keyboard. */
async function choose(page, text, action) {
  await row(page, text).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: action, exact: true }).click();
}

/** A new open room; its maker is in it. */
async function makeOpenRoom(page, name) {
  await page.getByRole('button', { name: 'New room' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Name').fill(name);
  await dialog.getByText('Everybody in the house').click();
  await dialog.getByText('The box can read it too').click();
  await dialog.getByRole('button', { name: 'Make the room' }).click();
  await page.getByRole('heading', { name }).waitFor();
}

for (const kind of ['sealed', 'open']) {
  describe(`in a room that is ${kind}`, () => {
    let browser, house, anna, bert;

    before(async () => {
      browser = await openChromium();
      house = await new House().start();
      anna = await person(browser, DESKTOP);
      bert = await person(browser, DESKTOP);
      await setUp(anna.page, house, 'anna');
      if (kind === 'open') await makeOpenRoom(anna.page, 'Kitchen');
      await join_(bert.page, await invite(anna.page), 'bert');
      if (kind === 'open') {
        await bert.page.getByRole('navigation').getByText('Kitchen').click();
        await bert.page.getByRole('heading', { name: 'Kitchen' }).waitFor();
      }
    });

    after(async () => {
      await browser?.close();
      await house?.end();
    });

    test('what is sent in one breath goes out whole and in its order', async () => {
      const words = ['first things', 'second things', 'third things'];
      await composer(anna.page).evaluate((field, texts) => {
        for (const text of texts) {
          field.value = text;
          field.dispatchEvent(new InputEvent('input', { bubbles: true }));
          field.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
        }
      }, words);
      for (const { page } of [anna, bert]) {
        for (const text of words) await reads(page, text);
        const found = await page.locator('li[data-item]').allInnerTexts();
        const order = words.map((text) => found.findIndex((shown) => shown.includes(text)));
        assert.deepEqual(order, order.toSorted((a, b) => a - b));
      }
    });

    test('an answer quotes what it answers, and the quote leads there', async () => {
      await write(anna.page, 'Who is home for dinner?');
      await reads(bert.page, 'Who is home for dinner?');
      await row(bert.page, 'Who is home').focus();
      await bert.page.keyboard.press('r');
      await bert.page.keyboard.type('I am, @an');
      await bert.page.getByRole('option', { name: '@anna' }).waitFor();
      await bert.page.keyboard.press('Enter');
      await bert.page.keyboard.press('Enter');
      const answer = row(anna.page, 'I am,');
      await answer.locator('.mention.me').waitFor();
      await answer.getByRole('button', { name: /^Reply to anna/ }).click();
      // The quote gives the focus to what it quotes.
      await anna.page.locator('li[data-item]:focus')
        .filter({ hasText: 'Who is home for dinner?', hasNotText: 'I am,' }).waitFor();
    });

    test('arrow up edits the last own message; the other reads it, with what it was', async () => {
      await composer(anna.page).focus();
      await anna.page.keyboard.press('ArrowUp');
      assert.equal(await composer(anna.page).inputValue(), 'Who is home for dinner?');
      await composer(anna.page).fill('Who is home for *lunch*?');
      await anna.page.keyboard.press('Enter');
      await row(bert.page, 'Who is home for lunch?').locator('em').waitFor();
      const edited = row(bert.page, 'Who is home for lunch?').getByRole('button', { name: 'edited' });
      await edited.click();
      await bert.page.getByRole('dialog').getByText('Who is home for dinner?').waitFor();
      await bert.page.keyboard.press('Escape');
      await row(bert.page, 'I am,').getByText('Who is home for *lunch*?').waitFor();
    });

    test('Esc ends an edit, and the draft is still there', async () => {
      await composer(bert.page).fill('half a thought');
      await row(bert.page, 'I am,').focus();
      await bert.page.keyboard.press('Enter');
      await bert.page.getByRole('menuitem', { name: 'Edit' }).click();
      assert.match(await composer(bert.page).inputValue(), /^I am/);
      await bert.page.keyboard.press('Escape');
      assert.equal(await composer(bert.page).inputValue(), 'half a thought');
      await composer(bert.page).fill('');
    });

    test('reactions by key, by the picker and by the mouse; once a person', async () => {
      await row(bert.page, 'Who is home for lunch?').focus();
      await bert.page.keyboard.press('e');
      await bert.page.keyboard.press('Enter');
      const thumb = (page) => row(page, 'Who is home for lunch?').locator('[data-reaction="👍"]');
      await thumb(anna.page).waitFor();
      assert.equal(await thumb(anna.page).getAttribute('aria-label'), '👍: bert');
      await thumb(anna.page).click();
      await thumb(bert.page).filter({ hasText: '2' }).waitFor();
      const who = thumb(anna.page).locator('xpath=following-sibling::*');
      await anna.page.mouse.move(0, 0);
      assert.equal(await who.isVisible(), false);
      await thumb(anna.page).hover();
      await who.waitFor();
      assert.match(await who.innerText(), /^(anna, bert|bert, anna)$/);
      await thumb(anna.page).click();
      await bert.page.waitForFunction(
        () => document.querySelector('[data-reaction="👍"]')?.textContent?.includes('2') === false,
      );
      await row(anna.page, 'Who is home for lunch?').hover();
      await anna.page.getByRole('button', { name: 'React', exact: true }).click();
      await anna.page.getByRole('menuitem', { name: 'More emoji' }).click();
      await anna.page.getByLabel('Search emoji').fill('loaf');
      await anna.page.getByRole('button', { name: 'bread', exact: true }).waitFor();
      await anna.page.keyboard.press('Enter');
      await row(bert.page, 'Who is home for lunch?').locator('[data-reaction="🍞"]').waitFor();
      await anna.page.screenshot({ path: join(shots, `messages-${kind}.png`) });
    });

    test('who writes is told to the other, and no longer once it is sent', async () => {
      // It is shown for some seconds: whoever waits looks already.
      const shown = bert.page.getByText('anna is writing…').waitFor();
      await composer(anna.page).pressSequentially('soon');
      await shown;
      await anna.page.keyboard.press('Enter');
      await reads(bert.page, 'soon');
      await bert.page.getByText('anna is writing…').waitFor({ state: 'detached' });
    });

    test('the ticks say delivered and read, and who', async () => {
      await row(anna.page, 'soon').locator('[data-delivery=read]').click();
      await anna.page.getByRole('dialog').getByText('bert').waitFor();
      await anna.page.keyboard.press('Escape');
    });

    test('a deleted message is a stub for both, also after a reload', async () => {
      await write(anna.page, 'a slip of the tongue');
      await reads(bert.page, 'a slip of the tongue');
      await choose(anna.page, 'a slip of the tongue', 'Delete');
      await anna.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
      for (const { page } of [anna, bert]) {
        await page.getByText(/^\[deleted\] by/).waitFor();
        assert.equal(await page.getByText('a slip of the tongue').count(), 0);
      }
      await bert.page.reload();
      await bert.page.getByText(/^\[deleted\] by/).waitFor();
      assert.equal(await bert.page.getByText('a slip of the tongue').count(), 0);
    });

    test('marks, tones and commands are drawn; nothing written runs or loads', async () => {
      const asked = [];
      bert.page.on('request', (request) => asked.push(request.url()));
      const lines = [
        '<img src=https://evil.example/a.png onerror="document.title=1">',
        '![x](https://evil.example/b.png)',
        '[x](javascript:document.title=1)',
        '<script>document.title=1</script>',
      ];
      await composer(anna.page).fill(lines.join('\n'));
      await anna.page.keyboard.press('Enter');
      await row(bert.page, '<script>document.title=1</script>').waitFor();
      await composer(anna.page).fill('you **know** `it` /j');
      await anna.page.keyboard.press('Enter');
      const said = row(bert.page, 'you know it');
      await said.locator('strong', { hasText: 'know' }).waitFor();
      await said.locator('.tone', { hasText: 'joking' }).waitFor();
      await composer(anna.page).fill('/me waves');
      await anna.page.keyboard.press('Enter');
      await row(bert.page, 'waves').locator('em').waitFor();
      await composer(anna.page).fill('/dance');
      await anna.page.keyboard.press('Enter');
      await anna.page.getByText('There is no command /dance.').waitFor();
      await composer(anna.page).fill('');
      assert.notEqual(await bert.page.title(), '1');
      const drawn = bert.page.locator('main').locator('img, script, iframe, style');
      assert.equal(await drawn.count(), 0);
      assert.deepEqual(asked.filter((url) => url.includes('evil')), []);
      const spoken = await bert.page.locator('[role=log] p').allInnerTexts();
      assert.ok(spoken.some((line) => /you .*know.* \(joking\)/.test(line)), spoken.join(' | '));
    });

    test('what came while one looked away stands below a line', async () => {
      // Chromium without a head shows every page: this one is told that nobody looks.
      await bert.page.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { get: () => 'hidden', configurable: true });
        document.dispatchEvent(new Event('visibilitychange'));
      });
      await write(anna.page, 'are you there?');
      await reads(bert.page, 'are you there?');
      assert.match(await bert.page.title(), /^\(1\)/);
      assert.equal(await row(anna.page, 'are you there?').locator('[data-delivery=read]').count(), 0);
      await bert.page.evaluate(() => {
        Object.defineProperty(document, 'visibilityState', { get: () => 'visible' });
        document.dispatchEvent(new Event('visibilitychange'));
      });
      await bert.page.locator('.new').waitFor();
      await row(anna.page, 'are you there?').locator('[data-delivery=read]').waitFor();
    });

    test('no page complained', () => {
      assert.deepEqual([...anna.complaints, ...bert.complaints], []);
    });
  });
}

describe('with a finger', () => {
  let browser, house, anna;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, PHONE, { hasTouch: true, isMobile: true });
    await setUp(anna.page, house, 'anna');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('a long press opens what can be done, a tap on an emoji reacts, a long one says who did', async () => {
    const { page } = anna;
    await write(page, 'Dinner at seven');
    await row(page, 'Dinner at seven').locator('[data-delivery=stored]').waitFor();
    // Where it stands, it stays.
    await row(page, 'Dinner at seven').scrollIntoViewIfNeeded();
    const box = await row(page, 'Dinner at seven').locator('.bubble').boundingBox();
    const touch = await page.context().newCDPSession(page);
    const at = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [at] });
    await page.getByRole('menu').waitFor();
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    await page.screenshot({ path: join(shots, 'messages-menu-phone.png') });
    await page.getByRole('menuitem', { name: 'React with 🎉' }).tap();
    const party = row(page, 'Dinner at seven').locator('[data-reaction="🎉"]');
    await party.scrollIntoViewIfNeeded();
    const chip = await party.boundingBox();
    const on = { x: chip.x + chip.width / 2, y: chip.y + chip.height / 2 };
    await touch.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [on] });
    await page.getByRole('dialog').getByText('anna').waitFor();
    await touch.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
    assert.equal(await party.getAttribute('aria-pressed'), 'true', 'who is looked at, nothing is taken off');
    assert.deepEqual(anna.complaints, []);
  });
});
