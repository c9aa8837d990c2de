// Running the house in Chromium, as its owner does at a desk and an admin on a phone: people, guests,
// invitations, reports, rules, storage, addresses, health, the log.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, PASSWORD, composer, join_, openChromium, openGeneral, person, reads, setUp,
  until, write,
} from './house.mjs';
import { tokenOf } from './long_room.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });
const shot = (page, name) => page.screenshot({ path: join(shots, `admin-${name}.png`) });

const dialog = (page) => page.getByRole('dialog');

/** A part of the settings, by the list as somebody would; back in the rooms first. */
async function openPart(page, name) {
  if ((await dialog(page).count()) > 0) await close(page);
  const back = page.getByRole('button', { name: 'Back', exact: true });
  if (await back.isVisible()) await back.click();
  await page.getByRole('button', { name: /^Settings\./ }).click();
  await dialog(page).getByRole('button', { name, exact: true }).click();
  await dialog(page).getByRole('heading', { name, exact: true, level: 2 }).waitFor();
}

async function close(page) {
  await dialog(page).getByRole('button', { name: 'Close' }).locator('visible=true').first().click();
  await dialog(page).waitFor({ state: 'detached' });
}

async function manage(page, name, part = 'People') {
  await openPart(page, part);
  await dialog(page).getByRole('button', { name: `Manage ${name}` }).click();
  await dialog(page).getByRole('heading', { name, level: 3 }).waitFor();
}

const button = (page, name) => dialog(page).getByRole('button', { name, exact: true });

let browser, house, anna, bert, cleo, token;

before(async () => {
  browser = await openChromium();
  house = await new House().start();
  anna = await person(browser, DESKTOP);
  bert = await person(browser, PHONE);
  cleo = await person(browser, DESKTOP);
  token = tokenOf(anna.page);
  await setUp(anna.page, house, 'anna');
});

after(async () => {
  await browser?.close();
  await house?.end();
  for (const one of [anna, bert, cleo]) assert.deepEqual(one?.complaints, []);
});

describe('invitations into the house', () => {
  let link;

  test('are made with a QR code, and one comes in by them', async () => {
    await openPart(anna.page, 'Invitations');
    await dialog(anna.page).getByText('Up to 5').click();
    await button(anna.page, 'Make an invitation').click();
    link = await dialog(anna.page).locator('[data-invite-link]').innerText();
    await dialog(anna.page).getByRole('img', { name: 'Invitation as a QR code' }).waitFor();
    await shot(anna.page, 'invite');
    await join_(bert.page, link, 'bert');
    await join_(cleo.page, link, 'cleo');
  });

  test('are listed with their QR code as long as they were made here, and taken back', async () => {
    await openPart(anna.page, 'Invitations');
    const code = new URL(link).pathname.split('/').at(-1);
    await button(anna.page, `Its QR code and link ${code}`).click();
    assert.equal(await dialog(anna.page).locator('[data-invite-link]').innerText(), link);
    await button(anna.page, `Take back the invitation ${code}`).click();
    await button(anna.page, 'Take back').last().click();
    await dialog(anna.page).getByText('No invitation is open.').waitFor();
    const answer = await fetch(`http://${house.http}/api/invites/${code}`);
    assert.equal(answer.status, 410);
  });
});

describe('people', () => {
  test('are made admins after a question; an admin has the house in their settings', async () => {
    await manage(anna.page, 'bert');
    await dialog(anna.page).getByText('Runs the house with the owner.').click();
    await dialog(anna.page).getByText('Make bert “Admin”?').waitFor();
    await button(anna.page, 'Change it').click();
    await dialog(anna.page).getByText(/@bert · Admin/).waitFor();
    await shot(anna.page, 'person');
    await bert.page.reload();
    await openGeneral(bert.page);
    await openPart(bert.page, 'People');
    await shot(bert.page, 'people-phone');
  });

  test('who run the house are for owners: an admin is offered nothing there', async () => {
    await manage(bert.page, 'anna');
    await dialog(bert.page).getByText('for an owner of the house').waitFor();
    for (const name of ['Keep out', 'End the account', 'Sign out everywhere']) {
      assert.equal(await button(bert.page, name).count(), 0, name);
    }
    await button(bert.page, 'All people').click();
    assert.match(
      await bert.page.evaluate(() => document.activeElement?.textContent ?? ''),
      /Manage\s+anna/,
    );
    await dialog(bert.page).getByRole('button', { name: 'Manage cleo' }).click();
    await dialog(bert.page).getByText('Sees only the rooms they were invited to.').waitFor();
    assert.equal(await dialog(bert.page).getByLabel('Owner').count(), 0);
  });

  test('who do not run the house see nothing of it, also by its address', async () => {
    await cleo.page.getByRole('button', { name: /^Settings\./ }).click();
    await dialog(cleo.page).getByRole('button', { name: 'Profile', exact: true }).waitFor();
    assert.equal(await button(cleo.page, 'Log').count(), 0);
    await close(cleo.page);
    await cleo.page.evaluate(() => (location.hash = '#/settings/log'));
    await dialog(cleo.page).getByRole('heading', { name: 'Profile', level: 2 }).waitFor();
    await close(cleo.page);
  });

  test('get a link for a new password, shown once, that opens', async () => {
    await manage(anna.page, 'cleo');
    await button(anna.page, 'Make a link for a new password').click();
    const link = await dialog(anna.page).locator('[data-reset-link]').innerText();
    await shot(anna.page, 'reset');
    const other = await person(browser, PHONE);
    await other.page.goto(link);
    await other.page.getByText('Choose a new password').waitFor();
    await other.context.close();
    await button(anna.page, 'Done').click();
    await button(anna.page, 'Make a link for a new password').waitFor();
  });

  /** Waits until cleo is a guest for so many days from now, on the box and on the page. */
  async function stays(days) {
    let end;
    await until(async () => {
      const headers = { authorization: token() };
      const { users } = await (await fetch(`http://${house.http}/api/users`, { headers })).json();
      end = users.find(({ name }) => name === 'cleo').guest_until;
      return Math.ceil((end - Date.now()) / 86_400_000);
    }, days);
    const day = await anna.page.evaluate(
      (at) => new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' }).format(at), end);
    await dialog(anna.page).getByText(`The stay ends on ${day}.`).waitFor();
  }

  test('become guests for a week, stay longer, and live here again', async () => {
    await manage(anna.page, 'cleo');
    await dialog(anna.page).getByText('Sees only the rooms they were invited to.').click();
    await dialog(anna.page).getByLabel('How long from now?').selectOption('7');
    await button(anna.page, 'Change it').click();
    await dialog(anna.page).getByText(/@cleo · Guest/).waitFor();
    await manage(anna.page, 'cleo', 'Guests');
    await stays(7);
    await dialog(anna.page).getByLabel('How long from now?').last().selectOption('90');
    await button(anna.page, 'Let them stay').click();
    await stays(90);
    await shot(anna.page, 'guest');
    await dialog(anna.page).getByText('Finds everybody and every public room.').click();
    await button(anna.page, 'Change it').click();
    await dialog(anna.page).getByText(/@cleo · Lives here/).waitFor();
    await openPart(anna.page, 'Guests');
    await dialog(anna.page).getByText(/^No guests\./).waitFor();
  });

  test('are kept out at once, and let in again', async () => {
    await manage(anna.page, 'cleo');
    await button(anna.page, 'Keep out').click();
    await button(anna.page, 'Keep out').click();
    await dialog(anna.page).getByText('blocked', { exact: true }).waitFor();
    await cleo.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    await shot(anna.page, 'blocked');
    await button(anna.page, 'Let in again').click();
    await button(anna.page, 'Keep out').waitFor();
    await cleo.page.getByLabel('Your name').fill('cleo');
    await cleo.page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await cleo.page.getByRole('button', { name: 'Sign in', exact: true }).click();
    await openGeneral(cleo.page);
  });
});

/** Reports the message with this text by its menu, with the keyboard. */
async function report(page, text, reason) {
  const message = page.locator('main li[data-item]').filter({ hasText: text }).last();
  await message.focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Report' }).click();
  await dialog(page).getByLabel('What is wrong with it?').fill(reason);
  await button(page, 'Report').click();
  await dialog(page).getByText('It was reported.').waitFor();
  await button(page, 'Close').last().click();
}

describe('reports', () => {
  test('of a sealed room say why, and lead to the message', async () => {
    if ((await dialog(bert.page).count()) > 0) await close(bert.page);
    await openGeneral(bert.page);
    await write(cleo.page, 'you are a pig');
    await reads(bert.page, 'you are a pig');
    await report(bert.page, 'you are a pig', 'not at this table');
    await openPart(anna.page, 'Reports');
    await dialog(anna.page).getByText('not at this table').waitFor();
    await dialog(anna.page).getByText('The room is sealed').waitFor();
    await shot(anna.page, 'report');
    await dialog(anna.page).getByRole('link', { name: 'Read it in the room' }).click();
    await dialog(anna.page).waitFor({ state: 'detached' });
    await reads(anna.page, 'you are a pig');
  });

  test('are decided: the writer is muted, and it stands among the decided ones', async () => {
    await openPart(anna.page, 'Reports');
    await button(anna.page, 'Decide').click();
    await dialog(anna.page).getByText('Mute its writer in the room').click();
    await dialog(anna.page).getByLabel('For how long?').selectOption('60');
    await dialog(anna.page).getByLabel(/^Why\?/).fill('one hour of quiet');
    await shot(anna.page, 'decide');
    await button(anna.page, 'Decide').click();
    await dialog(anna.page).getByText(/^Nothing to decide\./).waitFor();
    await dialog(anna.page).getByText('Decided', { exact: true }).click();
    await dialog(anna.page).getByText(/^Found right by anna/).waitFor();
    await dialog(anna.page).getByText('one hour of quiet').waitFor();
    await write(cleo.page, 'but I am hungry');
    await cleo.page.getByText('You are muted in this room for now.').first().waitFor();
  });
});

describe('the house', () => {
  test('gets another name, and keeps messages for a month', async () => {
    await openPart(anna.page, 'House rules');
    await dialog(anna.page).getByLabel('Name of the house').fill('The Elms');
    await dialog(anna.page).getByLabel('How long are messages kept?').selectOption('30');
    await button(anna.page, 'Save').click();
    await dialog(anna.page).getByText('Saved', { exact: true }).waitFor();
    await shot(anna.page, 'house');
    await close(anna.page);
    await anna.page.getByRole('navigation').getByRole('heading', { name: 'The Elms' }).waitFor();
    await openPart(bert.page, 'House rules');
    const kept = dialog(bert.page).getByLabel('How long are messages kept?');
    assert.equal(await kept.inputValue(), '30');
  });

  test('is changed by one at a time: who is late sees what is there now', async () => {
    await openPart(anna.page, 'House rules');
    await dialog(anna.page).getByLabel('How long are messages kept?').selectOption('90');
    await button(anna.page, 'Save').click();
    await dialog(anna.page).getByText('Saved', { exact: true }).waitFor();
    await dialog(bert.page).getByLabel('Name of the house').fill('The Oaks');
    await button(bert.page, 'Save').click();
    await dialog(bert.page).getByText('Somebody else changed this').waitFor();
    const name = await dialog(bert.page).getByLabel('Name of the house').elementHandle();
    await bert.page.waitForFunction((field) => field.value === 'The Elms', name);
  });

  test('says who keeps how many files, and how many may be', async () => {
    await openPart(anna.page, 'Storage');
    await dialog(anna.page).getByLabel('Each person, in MB').fill('a lot');
    await dialog(anna.page).getByText('A whole number of MB, or nothing.').waitFor();
    await dialog(anna.page).getByLabel('Each person, in MB').fill('50');
    await button(anna.page, 'Save').click();
    await dialog(anna.page).getByText('Now 50 MB.').waitFor();
    await shot(anna.page, 'storage');
  });

  test('answers some addresses only, and says what is none', async () => {
    await openPart(bert.page, 'Addresses');
    await dialog(bert.page).getByText('You come from 127.0.0.1.').waitFor();
    await dialog(bert.page).getByLabel('Never these').fill('the neighbours');
    await button(bert.page, 'Save').click();
    await dialog(bert.page).getByText('One of the lines is no address').waitFor();
    await dialog(bert.page).getByLabel('Never these').fill('10.66.0.0/16\n192.168.1.66');
    await button(bert.page, 'Save').click();
    await dialog(bert.page).getByText(/^Saved\./).waitFor();
    await shot(bert.page, 'addresses-phone');
    await openPart(bert.page, 'Addresses');
    const denied = await dialog(bert.page).getByLabel('Never these').inputValue();
    assert.deepEqual(denied.split('\n').length, 2);
  });

  test('is well, in words', async () => {
    await openPart(bert.page, 'How the box is');
    await dialog(bert.page).getByText('The disk has made no errors.').waitFor();
    await dialog(bert.page).getByText(`by MQTT at ${house.mqtt}.`).waitFor();
    await shot(bert.page, 'health-phone');
  });

  test('remembers who did what', async () => {
    await openPart(anna.page, 'Log');
    for (const line of [
      'anna changed the house rules',
      'bert changed from where the house is reached',
      'anna muted cleo in General',
      'anna kept cleo out of the house',
      'anna made bert an admin of the house',
    ]) {
      await dialog(anna.page).getByText(line).first().waitFor();
    }
    await shot(anna.page, 'log');
  });

  test('speaks French as well', async () => {
    await anna.page.evaluate(() => localStorage.setItem('hearth.language', 'fr'));
    await anna.page.reload();
    await anna.page.evaluate(() => (location.hash = '#/settings/log'));
    await dialog(anna.page).getByText('anna a mis cleo en sourdine dans General').waitFor();
    await shot(anna.page, 'log-french');
    assert.equal(await composer(anna.page).count(), 0);
  });
});
