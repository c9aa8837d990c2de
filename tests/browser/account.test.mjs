// A person's account in Chromium: a lost password, the recovery sheet, another browser that lets a
// new one in, the settings. Every step as somebody at home would do it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  DESKTOP, House, PHONE, PASSWORD, binary, choose, composer, openChromium, person, reads, setUp, signIn,
  write,
} from './house.mjs';

const run = promisify(execFile);
const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const NEW_PASSWORD = 'a short swim in the lake';

/** Opens the general room where a phone shows the list first. */
async function inGeneral(page) {
  const general = page.getByRole('navigation').getByText('General').first();
  await composer(page).or(general).first().waitFor();
  if (!(await composer(page).isVisible())) await general.click();
  await composer(page).waitFor();
}

/** The link that whoever runs the box makes in its shell. */
async function resetLink(house, name) {
  const { stdout } = await run(binary(), ['--data', house.data, 'user', 'reset', name]);
  return `http://${house.http}${/\/reset#[\w-]{64}/.exec(stdout)[0]}`;
}

describe('a lost password', () => {
  let browser, house, anna, sheet;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    sheet = await setUp(anna.page, house, 'anna');
    await write(anna.page, 'Dinner at seven');
    await reads(anna.page, 'Dinner at seven');
    await anna.page.locator('[data-delivery=stored]').last().waitFor();
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('a link sets a new one, says what it cannot do, and leads to the recovery sheet', async () => {
    const phone = await person(browser, PHONE);
    await phone.page.goto(await resetLink(house, 'anna'));
    await phone.page.getByText(/cannot open what you sealed/).waitFor();
    assert.ok(!phone.page.url().includes('#'), 'the secret left the address bar');
    await phone.page.screenshot({ path: join(shots, 'account-reset.png') });
    await phone.page.getByLabel('New password', { exact: true }).fill(NEW_PASSWORD);
    await phone.page.getByRole('button', { name: 'Set the password' }).click();
    await phone.page.getByRole('heading', { name: 'Now open your keys' }).waitFor();
    await phone.page.screenshot({ path: join(shots, 'account-locked.png') });
    await phone.page.getByRole('button', { name: /With the recovery sheet/ }).click();
    const code = phone.page.getByLabel('Recovery code');
    assert.equal(await code.evaluate((node) => node === document.activeElement), true);
    const mistyped = sheet.slice(0, -1) + (sheet.endsWith('Q') ? 'P' : 'Q');
    await code.fill(mistyped);
    await phone.page.getByRole('button', { name: 'Open my keys' }).click();
    await phone.page.getByText('This code does not open your keys.').waitFor();
    await code.fill(sheet.toLowerCase().replace(/(.{6})/g, '$1 '));
    await phone.page.screenshot({ path: join(shots, 'account-sheet.png') });
    await phone.page.getByRole('button', { name: 'Open my keys' }).click();
    await inGeneral(phone.page);
    await reads(phone.page, 'Dinner at seven');
    await write(phone.page, 'I am back');
    await reads(anna.page, 'I am back');
    assert.deepEqual(phone.complaints, []);
    await phone.context.close();
  });

  test('from then on the new password alone opens everything, the old one nothing', async () => {
    const laptop = await person(browser, DESKTOP);
    await laptop.page.goto(`http://${house.http}/`);
    await laptop.page.getByLabel('Your name').fill('anna');
    await laptop.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await laptop.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await laptop.page.getByText('Name or password do not match.').waitFor();
    await laptop.page.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
    await laptop.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await inGeneral(laptop.page);
    await reads(laptop.page, 'I am back');
    assert.deepEqual(laptop.complaints, []);
    await laptop.context.close();
  });

  test('a link that was used says so', async () => {
    const link = await resetLink(house, 'anna');
    for (const last of [false, true]) {
      const one = await person(browser, PHONE);
      await one.page.goto(link);
      await one.page.getByLabel('New password', { exact: true }).fill(NEW_PASSWORD);
      await one.page.getByRole('button', { name: 'Set the password' }).click();
      await one.page.getByText(last ? 'This link was used already' : 'Now open your keys').waitFor();
      await one.context.close();
    }
  });
});

/** Opens a part of the settings. */
async function settings(page, part) {
  await page.getByRole('button', { name: /^Settings/ }).click();
  await page.getByRole('dialog').getByRole('button', { name: part, exact: true }).click();
  await page.getByRole('heading', { name: part, exact: true }).waitFor();
}

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  describe(`one's own account on a ${size}`, () => {
    let browser, house, anna;

    before(async () => {
      browser = await openChromium();
      house = await new House().start();
      anna = await person(browser, viewport);
      await setUp(anna.page, house, 'anna');
      await write(anna.page, 'Dinner at seven');
      await reads(anna.page, 'Dinner at seven');
      if (size === 'phone') await anna.page.goBack();
    });

    after(async () => {
      await browser?.close();
      await house?.end();
    });

    test('the shown name, the status and the presence', async () => {
      const { page } = anna;
      await settings(page, 'Profile');
      assert.match(page.url(), /#\/settings/);
      await page.getByLabel('Shown name').fill('Anna of the Lindens');
      await page.getByLabel('Status').fill('At the stove');
      await page.screenshot({ path: join(shots, `account-profile-${size}.png`) });
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('Saved', { exact: true }).waitFor();
      const told = page.waitForResponse((answer) => answer.request().method() === 'PATCH');
      await choose(page, page.getByRole('radio', { name: /^Busy/ }));
      await told;
      await page.reload();
      await page.getByRole('heading', { name: 'Profile', exact: true }).waitFor();
      await page.waitForFunction(
        () => document.querySelector('dialog input[autocomplete=nickname]')?.value !== '',
      );
      assert.equal(await page.getByLabel('Shown name').inputValue(), 'Anna of the Lindens');
      assert.equal(await page.getByRole('radio', { name: /^Busy/ }).isChecked(), true);
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.waitForFunction(() => location.hash === '');
      await page.getByRole('button', { name: 'Settings. Anna of the Lindens' }).waitFor();
    });

    for (const way of ['typed letters', 'the link of the code']) {
      test(`a new browser is let in by ${way} and six digits`, async () => {
        const fresh = await person(browser, PHONE);
        await fresh.page.goto(`http://${house.http}/`);
        await fresh.page.getByRole('button', { name: 'Sign in with another browser' }).click();
        const code = fresh.page.locator('[data-pairing-code]');
        await code.waitFor();
        await fresh.page.screenshot({ path: join(shots, `account-pair-${size}.png`) });
        let teller = anna.page;
        if (way === 'typed letters') {
          await settings(teller, 'Browsers');
          await teller.getByRole('button', { name: 'Let a new browser in' }).click();
          await teller.getByLabel('Letters on the new browser').fill(await code.innerText());
          await teller.getByRole('button', { name: 'Go on' }).click();
        } else {
          teller = await anna.context.newPage();
          await teller.goto(await fresh.page.locator('[data-pairing-link]').getAttribute('data-pairing-link'));
        }
        const digits = (page) => page.locator('[aria-label^="Six digits"]').getAttribute('aria-label');
        await fresh.page.getByRole('heading', { name: 'Compare these digits' }).waitFor();
        await teller.screenshot({ path: join(shots, `account-let-${size}.png`) });
        assert.equal(await digits(teller), await digits(fresh.page));
        await teller.getByRole('button', { name: 'Yes, let it in' }).click();
        await teller.getByText('The new browser is in.').waitFor();
        await teller.getByRole('button', { name: 'Done' }).click();
        await inGeneral(fresh.page);
        await reads(fresh.page, 'Dinner at seven');
        await fresh.page.reload();
        await inGeneral(fresh.page);
        await reads(fresh.page, 'Dinner at seven');
        if (teller !== anna.page) await teller.close();
        else await anna.page.keyboard.press('Escape');
        assert.deepEqual(fresh.complaints, []);
        await fresh.context.close();
      });
    }

    test('the other browsers are listed and signed out', async () => {
      const other = await person(browser, DESKTOP);
      await signIn(other.page, house, 'anna');
      await anna.page.reload();
      await settings(anna.page, 'Browsers');
      const rows = anna.page.getByRole('dialog').locator('li').filter({ hasText: 'since' });
      await anna.page.getByRole('button', { name: 'Sign out all others' }).waitFor();
      await anna.page.screenshot({ path: join(shots, `account-browsers-${size}.png`) });
      assert.ok((await rows.count()) >= 2);
      await anna.page.getByRole('button', { name: 'Sign out all others' }).click();
      await anna.page.getByRole('button', { name: 'Sign out all others' }).click();
      await anna.page.getByText('this one').waitFor();
      await anna.page.waitForFunction(
        () => [...document.querySelectorAll('dialog li')].filter((row) => row.textContent.includes('since')).length === 1,
      );
      await other.page.getByRole('heading', { name: 'Welcome back' }).waitFor();
      await anna.page.keyboard.press('Escape');
      await other.context.close();
    });

    test('another password opens the keys on the next browser', async () => {
      const { page } = anna;
      await settings(page, 'Password and keys');
      await page.getByLabel('Password until now').fill('not this one');
      await page.getByLabel('New password').fill(NEW_PASSWORD);
      await page.getByRole('button', { name: 'Change the password' }).click();
      await page.getByText('This password is not the right one.').waitFor();
      await page.screenshot({ path: join(shots, `account-keys-${size}.png`) });
      await page.getByLabel('Password until now').fill(PASSWORD);
      await page.getByRole('button', { name: 'Change the password' }).click();
      await page.getByText('The password is changed.').waitFor();
      const next = await person(browser, DESKTOP);
      await next.page.goto(`http://${house.http}/`);
      await next.page.getByLabel('Your name').fill('anna');
      await next.page.getByLabel('Password', { exact: true }).fill(NEW_PASSWORD);
      await next.page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await inGeneral(next.page);
      await reads(next.page, 'Dinner at seven');
      assert.deepEqual(next.complaints, []);
      await next.context.close();
    });

    test('a new recovery sheet is shown once', async () => {
      const { page } = anna;
      await page.getByRole('button', { name: 'Make a new sheet' }).click();
      await page.getByRole('button', { name: 'Make a new sheet' }).click();
      await page.locator('.identity').waitFor();
      await page.getByRole('button', { name: 'I have printed or saved it' }).click();
      await page.locator('.identity').waitFor({ state: 'detached' });
      await page.keyboard.press('Escape');
    });

    test('a program gets a token that works, and no longer once it is ended', async () => {
      const { page } = anna;
      await settings(page, 'App tokens');
      await page.getByLabel('What is it for?').fill('Shopping list');
      await page.getByRole('radio', { name: 'Read', exact: true }).check();
      await page.getByRole('button', { name: 'Make a token' }).click();
      const token = await page.locator('[data-token]').innerText();
      await page.screenshot({ path: join(shots, `account-tokens-${size}.png`) });
      const ask = () =>
        fetch(`http://${house.http}/api/rooms`, { headers: { authorization: `Bearer ${token}` } });
      assert.equal((await ask()).status, 200);
      await page.getByRole('dialog').getByRole('button', { name: 'Done' }).click();
      await page.getByRole('button', { name: 'End the token “Shopping list”' }).click();
      await page.getByRole('button', { name: 'End it' }).click();
      await page.getByText('No program has a token.').waitFor();
      assert.equal((await ask()).status, 401);
      await page.keyboard.press('Escape');
    });

    test('Enter begins a new line where that was chosen', async () => {
      const { page } = anna;
      await settings(page, 'This browser');
      await page.getByRole('radio', { name: /^Begins a new line/ }).check();
      await page.screenshot({ path: join(shots, `account-look-${size}.png`) });
      await page.keyboard.press('Escape');
      await inGeneral(page);
      await composer(page).fill('one');
      await page.keyboard.press('Enter');
      await page.keyboard.type('two');
      assert.equal(await composer(page).inputValue(), 'one\ntwo');
      await page.keyboard.press('Control+Enter');
      await page.locator('main li[data-item]').filter({ hasText: 'two' }).waitFor();
      if (size === 'phone') await page.goBack();
    });

    test('signing out leaves nothing in the browser', async () => {
      const { page } = anna;
      await settings(page, 'This browser');
      await page.getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('group').getByRole('button', { name: 'Sign out' }).click();
      await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
      const left = await page.evaluate(async () => {
        const kept = [];
        for (const { name } of await indexedDB.databases()) {
          const database = await new Promise((resolve, reject) => {
            const request = indexedDB.open(name);
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
          for (const table of database.objectStoreNames) {
            const count = database.transaction(table).objectStore(table).count();
            await new Promise((resolve) => (count.onsuccess = resolve));
            if (count.result > 0) kept.push(`${name}/${table}: ${count.result}`);
          }
          database.close();
        }
        return kept;
      });
      assert.deepEqual(left, []);
      await page.reload();
      await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
      assert.deepEqual(anna.complaints, []);
    });
  });
}
