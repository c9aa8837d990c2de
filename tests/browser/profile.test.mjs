// One's own profile in Chromium: a picture cut to a square, a shown name, a status, another name to
// sign in with; and how the others see it.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, choose, composer, invite, join_, openChromium, openGeneral, person, reads, setUp,
  signIn, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(shots, `profile-${name}.png`) });
const picture = new URL('../../webclient/public/icon-512.png', import.meta.url);

const settings = (page) => page.getByRole('dialog', { name: 'Settings' });
const open = (page) => page.getByRole('button', { name: /^Settings\./ }).click();

/** The picture beside what somebody wrote, as its size in pixels; waits until it is drawn. */
async function drawn(image) {
  await image.first().waitFor();
  return image.first().evaluate(async (node) => {
    await node.decode();
    return [node.naturalWidth, node.naturalHeight];
  });
}

describe('a profile', () => {
  let browser, house, anna, bert;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    const link = await invite(anna.page);
    bert = await person(browser, PHONE);
    await join_(bert.page, link, 'bert');
    await write(anna.page, 'Good morning');
    await reads(bert.page, 'Good morning');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('a picture is chosen, cut to a square by keys, and shown to oneself', async () => {
    await open(anna.page);
    const field = settings(anna.page).locator('input[type=file]');
    await field.setInputFiles({ name: 'note.png', mimeType: 'image/png', buffer: Buffer.from('no') });
    await anna.page.getByText('This browser cannot read that file as a picture.').waitFor();
    const buffer = readFileSync(picture);
    await field.setInputFiles({ name: 'me.png', mimeType: 'image/png', buffer });
    const part = anna.page.getByRole('application', { name: /^Part of the picture/ });
    await part.waitFor();
    const looks = () => part.locator('canvas').evaluate((canvas) => canvas.toDataURL());
    const whole = await looks();
    await part.focus();
    for (const key of ['+', '+', '+', '+', 'ArrowRight']) await part.press(key);
    assert.notEqual(await looks(), whole, 'keys move and zoom');
    await shot(anna.page, 'crop');
    await anna.page.getByRole('button', { name: 'Use this part' }).click();
    await part.waitFor({ state: 'detached' });
    const card = anna.page.getByRole('region', { name: 'How the others see you' });
    assert.deepEqual(await drawn(card.locator('img')), [512, 512]);
    await shot(anna.page, 'chosen');
  });

  test('a shown name, a status and a presence are seen by the others', async () => {
    const dialog = settings(anna.page);
    await dialog.getByLabel('Shown name').fill('Anna of the Lindens');
    await dialog.getByLabel('Status').fill('At the stove');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await dialog.getByText('Anna of the Lindens').first().waitFor();
    await choose(anna.page, dialog.getByRole('radio', { name: /^Busy/ }));
    await anna.page.keyboard.press('Escape');
    await anna.page.getByRole('navigation').locator('.me img').waitFor();

    await bert.page.reload();
    await openGeneral(bert.page);
    const row = bert.page.locator('main').getByText('Anna of the Lindens');
    await row.first().waitFor();
    assert.deepEqual(await drawn(bert.page.locator('main .avatar img')), [512, 512]);
    await shot(bert.page, 'timeline');
    await bert.page.getByRole('button', { name: /^People: / }).click();
    const member = bert.page.getByRole('listitem').filter({ hasText: 'Anna of the Lindens' });
    await drawn(member.locator('img'));
    await member.getByRole('button').first().click();
    await bert.page.getByText('At the stove').first().waitFor();
    await bert.page.getByText('Busy', { exact: false }).first().waitFor();
    await shot(bert.page, 'member');
  });

  test('is there after a reload, and goes when it is taken away', async () => {
    await anna.page.reload();
    await composer(anna.page).waitFor();
    await anna.page.getByRole('navigation').locator('.me img').waitFor();
    await open(anna.page);
    await anna.page.getByRole('button', { name: 'Take the picture away' }).click();
    await anna.page.getByRole('button', { name: 'Choose a picture' }).waitFor();
    assert.equal(await settings(anna.page).locator('.avatar img').count(), 0);
  });

  test('another name to sign in with: taken ones are refused, the new one opens everything', async () => {
    const dialog = settings(anna.page);
    await dialog.getByRole('button', { name: 'Change it' }).click();
    const name = dialog.getByLabel('New name to sign in with');
    await name.fill('bert');
    await dialog.getByRole('button', { name: 'Change the name' }).click();
    await dialog.getByText(/already/).first().waitFor();
    await name.fill('anna_l');
    await dialog.getByRole('button', { name: 'Change the name' }).click();
    await dialog.getByText('You sign in as anna_l.').waitFor();
    await shot(anna.page, 'renamed');
    await anna.page.keyboard.press('Escape');
    const laptop = await person(browser, DESKTOP);
    await signIn(laptop.page, house, 'anna_l');
    await reads(laptop.page, 'Good morning');
    for (const { complaints } of [anna, bert, laptop]) assert.deepEqual(complaints, []);
    await laptop.context.close();
  });
});
