// People in Chromium: contacts, blocks, direct conversations, digits compared; alerts; the members
// of a room and its settings. Three people at once.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, person, reads, setUp, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(shots, `people-${name}.png`) });

const screen = (page) => page.getByRole('dialog');

async function openPeople(page) {
  await page.getByRole('button', { name: 'People of the house' }).click();
  await screen(page).getByRole('searchbox').waitFor();
}

async function about(page, name) {
  await openPeople(page);
  await screen(page).getByRole('button', { name }).first().click();
  await screen(page).getByRole('heading', { name, level: 3 }).waitFor();
}

const close = (page) => screen(page).getByRole('button', { name: 'Close' }).click();

let browser, house, anna, bert, cleo;

before(async () => {
  browser = await openChromium();
  house = await new House().start();
  anna = await person(browser, DESKTOP);
  bert = await person(browser, PHONE);
  cleo = await person(browser, DESKTOP);
  await setUp(anna.page, house, 'anna');
  await join_(bert.page, await invite(anna.page), 'bert');
  await join_(cleo.page, await invite(anna.page), 'cleo');
});

after(async () => {
  await browser?.close();
  await house?.end();
});

describe('people', () => {
  test('are found by a few letters, with whether they are there', async () => {
    await openPeople(anna.page);
    await screen(anna.page).getByRole('button', { name: 'bert' }).waitFor();
    await screen(anna.page).getByText('here now').first().waitFor();
    await shot(anna.page, 'list');
    await screen(anna.page).getByRole('searchbox').fill('cl');
    await screen(anna.page).getByRole('button', { name: 'cleo' }).waitFor();
    assert.equal(await screen(anna.page).getByRole('button', { name: 'bert' }).count(), 0);
    await anna.page.keyboard.press('Escape');
    assert.equal(await screen(anna.page).count(), 0);
  });

  test('write to each other alone, sealed; asking again leads to the same room', async () => {
    await about(anna.page, 'bert');
    await shot(anna.page, 'profile');
    await screen(anna.page).getByRole('button', { name: 'Write to them' }).click();
    await anna.page.getByRole('main').getByRole('heading', { name: 'bert' }).waitFor();
    await write(anna.page, 'only for you');
    await reads(anna.page, 'only for you');
    // Bert looks at his list on the phone.
    await bert.page.getByRole('button', { name: 'Back' }).click();
    await bert.page.getByRole('navigation').getByText('only for you').waitFor();
    await about(bert.page, 'anna');
    await screen(bert.page).getByRole('button', { name: 'Write to them' }).click();
    await reads(bert.page, 'only for you');
    await write(bert.page, 'thank you');
    await reads(anna.page, 'thank you');
    assert.equal(
      await anna.page.getByRole('navigation').getByRole('button', { name: /^bert/ }).count(),
      1,
    );
  });

  test('ask to be contacts, accept, and end it', async () => {
    await about(cleo.page, 'anna');
    await screen(cleo.page).getByRole('button', { name: 'Add as a contact' }).click();
    await screen(cleo.page).getByText('Asked to be your contact').waitFor();
    await openPeople(anna.page);
    await screen(anna.page).getByText('Would like to be your contact').waitFor();
    await screen(anna.page).getByRole('button', { name: 'Accept' }).click();
    await screen(anna.page).getByRole('heading', { name: 'Contacts' }).waitFor();
    await close(anna.page);
    await screen(cleo.page).getByText('Is your contact').waitFor();
    await screen(cleo.page).getByRole('button', { name: 'End the contact' }).click();
    await screen(cleo.page).getByRole('button', { name: 'Add as a contact' }).waitFor();
    await close(cleo.page);
  });

  test('compare 60 digits and are checked from then on', async () => {
    const digits = async (page, name) => {
      await about(page, name);
      await screen(page).getByRole('button', { name: 'Compare in person' }).click();
      return (await screen(page).locator('[data-safety]').innerText()).replace(/\s/g, '');
    };
    const seen = await digits(anna.page, 'cleo');
    assert.match(seen, /^\d{60}$/);
    assert.equal(await digits(cleo.page, 'anna'), seen);
    await shot(cleo.page, 'compare');
    await screen(anna.page).getByRole('button', { name: 'They are the same' }).click();
    await screen(anna.page).getByText('Checked in person.').waitFor();
    await close(anna.page);
    await close(cleo.page);
  });

  test('block: neither sees the other any more, until it is taken back', async () => {
    await about(anna.page, 'cleo');
    await screen(anna.page).getByRole('button', { name: 'Block' }).click();
    await screen(anna.page).getByText(/^Block cleo\?/).waitFor();
    await screen(anna.page).getByRole('button', { name: 'Block' }).click();
    await screen(anna.page).getByText('You block this person.').waitFor();
    await openPeople(cleo.page);
    await screen(cleo.page).getByRole('button', { name: 'bert' }).waitFor();
    await screen(cleo.page).getByRole('button', { name: 'anna' }).waitFor({ state: 'detached' });
    await close(cleo.page);
    await screen(anna.page).getByRole('button', { name: 'Unblock' }).click();
    await screen(anna.page).getByRole('button', { name: 'Write to them' }).waitFor();
    await close(anna.page);
  });
});
