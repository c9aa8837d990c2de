// Public rooms in Chromium: made with a topic, found and searched by somebody else, joined with one tap,
// by a command and by keyboard; a sealed one is read once its key has come.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, person, reads, setUp, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(shots, `public-rooms-${name}.png`) });

const dialog = (page) => page.getByRole('dialog');
const title = (page, name) => page.getByRole('main').getByRole('heading', { name, exact: true });

async function makeRoom(page, name, topic, sealing) {
  await page.getByRole('button', { name: 'New room' }).click();
  await dialog(page).getByLabel('Name').fill(name);
  await dialog(page).getByLabel('What it is about').fill(topic);
  await dialog(page).getByText('Everybody in the house').click();
  await dialog(page).getByText(sealing, { exact: true }).click();
  await dialog(page).getByRole('button', { name: 'Make the room' }).click();
  await title(page, name).waitFor();
}

async function browse(page) {
  await page.getByRole('button', { name: 'New room' }).click();
  await dialog(page).getByRole('button', { name: 'See the rooms you can join' }).click();
  await dialog(page).getByRole('heading', { name: 'Rooms of the house' }).waitFor();
}

describe('public rooms', () => {
  let browser, house, anna, bert;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    bert = await person(browser, PHONE);
    await join_(bert.page, await invite(anna.page), 'bert');
    await makeRoom(anna.page, 'Films', 'What we watch on Fridays', 'Sealed');
    await write(anna.page, 'This week one about bees');
    await reads(anna.page, 'This week one about bees');
    await makeRoom(anna.page, 'Workshop', 'Tools, and who has them', 'Open');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('a topic given when the room is made stands in its settings', async () => {
    await anna.page.getByRole('button', { name: 'Room settings' }).click();
    const topic = anna.page.getByRole('complementary').getByLabel('What it is about');
    await topic.waitFor();
    assert.equal(await topic.inputValue(), 'Tools, and who has them');
    await anna.page.keyboard.press('Escape');
  });

  test('are listed with what they are about, and searched by name and topic', async () => {
    await bert.page.getByRole('button', { name: 'Back' }).click();
    await browse(bert.page);
    await dialog(bert.page).getByText('What we watch on Fridays').waitFor();
    await dialog(bert.page).getByRole('button', { name: 'Open General' }).waitFor();
    await shot(bert.page, 'phone');
    await bert.page.emulateMedia({ colorScheme: 'dark' });
    await shot(bert.page, 'phone-dark');
    await bert.page.emulateMedia({ colorScheme: 'light' });
    await dialog(bert.page).getByRole('searchbox').fill('tools');
    await dialog(bert.page).getByRole('button', { name: 'Join Films' }).waitFor({ state: 'detached' });
    await dialog(bert.page).getByRole('button', { name: 'Join Workshop' }).waitFor();
    await dialog(bert.page).getByRole('searchbox').fill('swimming');
    await dialog(bert.page).getByText('No room of that name.').waitFor();
    await dialog(bert.page).getByRole('searchbox').fill('');
  });

  test('are joined with one tap; a sealed one is read as its key comes', async () => {
    await dialog(bert.page).getByRole('button', { name: 'Join Films' }).click();
    await title(bert.page, 'Films').waitFor();
    await reads(bert.page, 'This week one about bees');
    await write(bert.page, 'I bring popcorn');
    await anna.page.getByRole('navigation').getByText('Films', { exact: true }).click();
    await reads(anna.page, 'I bring popcorn');
  });

  test('are joined by a command, which says when there is none of that name', async () => {
    await write(bert.page, '/join werkshop');
    await bert.page.getByText('No room that everybody finds is called werkshop.').waitFor();
    await composer(bert.page).fill('/join workshop');
    await bert.page.keyboard.press('Enter');
    await title(bert.page, 'Workshop').waitFor();
    await write(bert.page, '/join');
    await dialog(bert.page).getByRole('button', { name: 'Open Workshop' }).waitFor();
    await bert.page.keyboard.press('Escape');
  });

  test('are reached by keyboard alone, and the focus comes back', async () => {
    const make = anna.page.getByRole('button', { name: 'New room' });
    await make.focus();
    await anna.page.keyboard.press('Enter');
    await dialog(anna.page).getByRole('button', { name: 'See the rooms you can join' }).focus();
    await anna.page.keyboard.press('Enter');
    await dialog(anna.page).getByRole('button', { name: 'Open Films' }).waitFor();
    const where = () => anna.page.evaluate(() => document.activeElement?.getAttribute('role'));
    assert.equal(await where(), 'searchbox');
    await shot(anna.page, 'desktop');
    await anna.page.keyboard.press('Escape');
    await dialog(anna.page).waitFor({ state: 'detached' });
    assert.ok(await make.evaluate((button) => document.activeElement === button));
    for (const { complaints } of [anna, bert]) assert.deepEqual(complaints, []);
  });
});
