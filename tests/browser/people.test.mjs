// People in Chromium: contacts, blocks, direct conversations, digits compared; alerts; the members
// of a room and its settings. Three people at once.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, choose, composer, invite, join_, openChromium, person, reads, setUp, until, write,
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

/** A camera that sees `window.codeInSight`; Chromium reads no codes on this system. */
const camera = (page) =>
  page.evaluate(() => {
    window.BarcodeDetector = class {
      async detect() {
        return [{ rawValue: window.codeInSight }];
      }
    };
    navigator.mediaDevices.getUserMedia = async () => {
      const canvas = document.createElement('canvas');
      const picture = canvas.getContext('2d');
      setInterval(() => picture.fillRect(0, 0, canvas.width, canvas.height), 50);
      return canvas.captureStream();
    };
  });

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

  test('scan each other’s code: the same one is checked, another one is warned of', async () => {
    const { page } = anna;
    await camera(page);
    await about(page, 'bert');
    await screen(page).getByRole('button', { name: 'Compare in person' }).click();
    const digits = (await screen(page).locator('[data-safety]').innerText()).replace(/\s/g, '');
    const shown = async (code) => {
      await page.evaluate((text) => (window.codeInSight = text), code);
      await screen(page).getByRole('button', { name: 'Scan with the camera' }).click();
    };
    const other = `${(Number(digits[0]) + 1) % 10}${digits.slice(1)}`;
    await shown(other);
    await screen(page).getByRole('alert').getByText(/somebody may stand between you/).waitFor();
    await screen(page).getByText('Checked in person.').waitFor({ state: 'detached' });
    // What is no such code is looked past.
    await shown('https://example.org');
    await screen(page).getByText('Hold the code before the camera').waitFor();
    await page.evaluate((text) => (window.codeInSight = text), digits);
    await screen(page).getByText('Checked in person.').waitFor();
    await close(page);
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

/** A new room of this page's person, open or sealed; it is the one that is shown then. */
async function makeRoom(page, name, open) {
  await page.getByRole('button', { name: 'New room' }).click();
  await screen(page).getByLabel('Name').fill(name);
  if (open) await screen(page).getByText('The box can read it too').click();
  await screen(page).getByRole('button', { name: 'Make the room' }).click();
  await page.getByRole('main').getByRole('heading', { name, exact: true }).waitFor();
}

const panel = (page) => page.getByRole('complementary');
const member = (page, name) => panel(page).getByRole('listitem').filter({ hasText: name });

async function openMember(page, name) {
  if ((await panel(page).count()) > 0) await page.keyboard.press('Escape');
  await page.getByRole('button', { name: /^People: / }).click();
  await member(page, name).getByRole('button').first().click();
}

const openSettings = (page) => page.getByRole('button', { name: 'Room settings' }).click();

const roomInList = (page, name) => page.getByRole('navigation').getByRole('button', { name });

describe('the members of a room', () => {
  before(() => makeRoom(anna.page, 'Garden', false));

  test('are let in by hand, and read what was written before', async () => {
    await write(anna.page, 'the roses are in');
    await reads(anna.page, 'the roses are in');
    await anna.page.getByRole('button', { name: /^People: / }).click();
    await panel(anna.page).getByRole('button', { name: 'Add someone' }).click();
    await panel(anna.page).getByRole('button', { name: /^C? ?cleo/ }).click();
    await member(anna.page, 'cleo').waitFor();
    await roomInList(cleo.page, 'Garden').click();
    await reads(cleo.page, 'the roses are in');
    await shot(anna.page, 'members');
  });

  test('who was let in is told, and goes there by the bell', async () => {
    await roomInList(cleo.page, 'General').click();
    await cleo.page.getByRole('button', { name: /^Alerts: / }).click();
    await cleo.page.getByText('anna let you into Garden').waitFor();
    await shot(cleo.page, 'alerts');
    await cleo.page.getByRole('button', { name: 'Go there' }).click();
    await reads(cleo.page, 'the roses are in');
  });

  test('are made admins and members again', async () => {
    await openMember(anna.page, 'cleo');
    await choose(anna.page, panel(anna.page).getByLabel('Admin: people, devices, settings'));
    await anna.page.getByRole('main').getByText('cleo is now admin').waitFor();
    await choose(anna.page, panel(anna.page).getByLabel('Member: reads and writes'));
    await anna.page.getByRole('main').getByText('cleo is now member').waitFor();
    await shot(anna.page, 'member');
  });

  test('are muted for a while with a reason, and it is lifted', async () => {
    await panel(anna.page).getByRole('button', { name: 'Mute' }).click();
    await panel(anna.page).getByText('1 hour').click();
    await panel(anna.page).getByLabel('Why? They are told.').fill('too loud');
    await panel(anna.page).getByRole('button', { name: 'Mute' }).click();
    await panel(anna.page).getByLabel('Why? They are told.').waitFor({ state: 'detached' });
    await panel(anna.page).getByRole('button', { name: 'Everybody in the room' }).click();
    await panel(anna.page).getByText('too loud').waitFor();
    await panel(anna.page).getByRole('button', { name: 'Lift it for cleo' }).click();
    await panel(anna.page).getByText('Nobody.').waitFor();
  });

  test('are put out and banned; a ban that is lifted lets them in again', async () => {
    await openMember(anna.page, 'cleo');
    await panel(anna.page).getByRole('button', { name: 'Ban' }).click();
    await panel(anna.page).getByRole('button', { name: 'Ban' }).click();
    await roomInList(cleo.page, 'Garden').waitFor({ state: 'detached' });
    await panel(anna.page).getByRole('button', { name: 'Lift it for cleo' }).click();
    await panel(anna.page).getByText('Nobody.').waitFor();
    await panel(anna.page).getByRole('button', { name: 'Add someone' }).click();
    await panel(anna.page).getByRole('button', { name: /^C? ?cleo/ }).click();
    await roomInList(cleo.page, 'Garden').click();
    await reads(cleo.page, 'the roses are in');
  });
});

describe('the settings of a room', () => {
  test('rename it and say what it is about', async () => {
    await anna.page.keyboard.press('Escape');
    await openSettings(anna.page);
    await panel(anna.page).getByLabel('Name', { exact: true }).fill('Kitchen garden');
    await panel(anna.page).getByLabel('What it is about').fill('Herbs');
    await panel(anna.page).getByRole('button', { name: 'Save' }).click();
    await roomInList(cleo.page, 'Kitchen garden').waitFor();
    await shot(anna.page, 'settings');
  });

  test('say when one is told and how long messages are kept', async () => {
    const named = panel(anna.page).getByLabel('When I am named');
    const kept = panel(anna.page).getByLabel('How long are messages kept?');
    await choose(anna.page, named);
    await kept.selectOption('30');
    for (const one of [named, kept]) await one.and(anna.page.locator(':enabled')).waitFor();
    await anna.page.reload();
    await named.and(anna.page.locator(':checked')).waitFor();
    await until(() => kept.inputValue(), '30');
  });

  test('let everybody of the house find it, and no longer', async () => {
    const { page } = anna;
    const found = async () => {
      await cleo.page.getByRole('button', { name: 'New room' }).click();
      await screen(cleo.page).getByRole('button', { name: 'See the rooms you can join' }).click();
      await screen(cleo.page).getByRole('button', { name: 'Open General' }).waitFor();
      const here = await screen(cleo.page).getByRole('button', { name: 'Open Kitchen garden' }).count();
      await cleo.page.keyboard.press('Escape');
      return here === 1;
    };
    const finding = async (name) => {
      const choice = panel(page).getByRole('radio', { name });
      await choose(page, choice);
      await choice.and(page.locator(':enabled')).waitFor();
    };
    assert.equal(await found(), false);
    await finding(/^Everybody in the house/);
    assert.equal(await found(), true);
    await finding(/^Only whom I invite/);
    assert.equal(await found(), false);
  });

  test('take an invitation back', async () => {
    await panel(anna.page).getByRole('button', { name: 'Make an invitation' }).click();
    await panel(anna.page).getByRole('button', { name: 'Make an invitation' }).click();
    const link = await panel(anna.page).locator('[data-invite-link]').innerText();
    await anna.page.keyboard.press('Escape');
    await openSettings(anna.page);
    await panel(anna.page).getByRole('button', { name: /^Take back the invitation/ }).click();
    await panel(anna.page).getByRole('button', { name: 'Take back', exact: true }).last().click();
    await panel(anna.page).getByText('No invitation is open.').waitFor();
    const code = new URL(link).pathname.split('/').at(-1);
    const answer = await fetch(`http://${house.http}/api/invites/${code}`);
    assert.equal(answer.status, 410);
  });

  test('hide what was written before from newcomers, by a new key', async () => {
    await choose(anna.page, panel(anna.page).getByLabel('From their coming on'));
    await panel(anna.page).getByLabel('From their coming on').and(anna.page.locator(':enabled')).waitFor();
    await write(anna.page, 'still here');
    await reads(cleo.page, 'still here');
  });

  test('seal an open room for ever', async () => {
    await makeRoom(anna.page, 'Workshop', true);
    await write(anna.page, 'in clear');
    await openSettings(anna.page);
    await panel(anna.page).getByRole('button', { name: 'Seal this room' }).click();
    await panel(anna.page).getByRole('button', { name: 'Seal it for ever' }).click();
    await anna.page.getByRole('main').getByRole('button', { name: /^Sealed/ }).waitFor();
    await write(anna.page, 'sealed now');
    await reads(anna.page, 'sealed now');
  });

  test('leave it, and delete it', async () => {
    await roomInList(cleo.page, 'Kitchen garden').click();
    await openSettings(cleo.page);
    await panel(cleo.page).getByRole('button', { name: 'Leave the room' }).click();
    await panel(cleo.page).getByRole('button', { name: 'Leave the room' }).click();
    await roomInList(cleo.page, 'Kitchen garden').waitFor({ state: 'detached' });
    await panel(anna.page).getByRole('button', { name: 'Delete the room' }).click();
    await panel(anna.page).getByRole('button', { name: 'Delete everything' }).click();
    await roomInList(anna.page, 'Workshop').waitFor({ state: 'detached' });
  });
});
