// A person's account in Chromium: a lost password, the recovery sheet, another browser that lets a
// new one in, the settings. Every step as somebody at home would do it.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  DESKTOP, House, PHONE, PASSWORD, binary, composer, openChromium, person, reads, setUp, signIn,
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
    await code.fill(sheet.replace(/.$/, 'Q'));
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
