// Every screen of the gallery that pictures are taken of, and what to do before; for shots.mjs and for
// the journey that looks at all of them (tests/browser/screens.test.mjs).
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, preview } from 'vite';
import { follow, settled } from './settled.mjs';

/** A picture to choose. */
const ICON = new URL('../public/icon-512.png', import.meta.url);

export const SIZES = {
  phone: { width: 390, height: 844 },
  desktop: { width: 1280, height: 800 },
  tablet: { width: 820, height: 1180 },
};

/** What to do in a scene before its picture; scenes without an entry are taken as they are. */
export const screens = {
  loading: {},
  setup: {},
  'setup-3': { scene: 'setup', run: toPassword },
  'setup-busy': { run: toBusy },
  sheet: {},
  // Paper: nobody reads it by ear.
  'sheet-print': {
    scene: 'sheet',
    paper: true,
    run: (page) => page.emulateMedia({ media: 'print' }),
  },
  join: {},
  'join-gone': {},
  visit: {},
  login: {},
  'login-wrong': { run: failLogin },
  reset: {},
  'reset-elsewhere': {},
  locked: {},
  'pair-here': {},
  'pair-digits': {},
  'pair-failed': {},
  'let-digits': {},
  'let-failed': {},
  rooms: { sizes: ['phone'] },
  room: {},
  everything: {},
  'everything-top': { scene: 'everything', run: scrollUp },
  talk: {},
  'talk-top': { scene: 'talk', run: scrollUp },
  'talk-menu': { scene: 'talk', run: openMenu },
  'talk-emoji': { scene: 'talk', run: openEmoji },
  'talk-reply': { scene: 'talk', run: answer },
  'talk-offers': { scene: 'talk', run: (page) => page.fill('textarea', 'so true @') },
  'talk-versions': { scene: 'talk', run: openVersions },
  'talk-report': { scene: 'talk', run: askReport },
  'talk-delete': { scene: 'talk', run: askDelete },
  'talk-help': { scene: 'talk', run: openHelp },
  files: {},
  'files-top': { scene: 'files', run: scrollUp },
  'files-large': { scene: 'files', run: openPicture },
  'far-up': {},
  offline: {},
  waiting: {},
  changed: {},
  split: {},
  skeleton: {},
  problem: {},
  new: { scene: 'room', run: openHolidays },
  search: { scene: 'room', run: (page) => tap(page, 'Search') },
  invite: { scene: 'room', run: openInvite },
  device: { scene: 'room', run: openDevice },
  people: { scene: 'room', run: (page) => page.click('button.people') },
  readers: { scene: 'room', run: (page) => page.click('button.chip') },
  'room-settings': { scene: 'room', run: (page) => tap(page, 'Room settings') },
  pictures: {},
  'picture-profile': { scene: 'pictures', run: (page) => openPart(page, 'Profile') },
  'picture-crop': { scene: 'pictures', run: openCrop },
  'picture-none': { scene: 'pictures', run: chooseNoPicture },
  'invite-guest': { scene: 'rooms', run: inviteGuest },
  'invite-guest-made': { scene: 'rooms', run: makeGuestInvite },
  'new-room': { scene: 'rooms', run: (page) => tap(page, 'New room') },
  'public-rooms': { scene: 'rooms', run: openPublicRooms },
  house: { scene: 'rooms', run: (page) => tap(page, 'People of the house') },
  notices: { scene: 'rooms', run: (page) => tap(page, /^Alerts: /) },
  'go-to': { scene: 'rooms', run: (page) => page.keyboard.press('Control+k') },
  keys: { scene: 'rooms', run: openKeys },
  settings: { scene: 'rooms', run: (page) => page.keyboard.press('Control+,') },
  'settings-profile': { scene: 'rooms', run: (page) => openPart(page, 'Profile') },
  'settings-browsers': { scene: 'rooms', run: (page) => openPart(page, 'Browsers') },
  'settings-keys': { scene: 'rooms', run: (page) => openPart(page, 'Password and keys') },
  'settings-tokens': { scene: 'rooms', run: (page) => openPart(page, 'App tokens') },
  'settings-look': { scene: 'rooms', run: (page) => openPart(page, 'This browser') },
  'house-people': { scene: 'rooms', run: houseSection('people') },
  'house-guests': { scene: 'rooms', run: houseSection('guests') },
  'house-bots': { scene: 'rooms', run: houseSection('bots') },
  'house-bot': { scene: 'rooms', run: openBot },
  'house-invites': { scene: 'rooms', run: houseSection('invites') },
  'house-reports': { scene: 'rooms', run: houseSection('reports') },
  'house-house': { scene: 'rooms', run: houseSection('house') },
  'house-storage': { scene: 'rooms', run: houseSection('storage') },
  'house-addresses': { scene: 'rooms', run: houseSection('addresses') },
  'house-grants': { scene: 'rooms', run: houseSection('grants') },
  'house-health': { scene: 'rooms', run: houseSection('health') },
  'house-log': { scene: 'rooms', run: houseSection('log') },
  'house-person': { scene: 'rooms', run: openAccount },
  'house-evidence': { scene: 'rooms', run: openEvidence },
  'house-decide': { scene: 'rooms', run: openDecision },
  tablet: {
    scene: 'room',
    sizes: ['tablet'],
    run: (page) => page.click('main header .icon-button'),
  },
};

const tap = (page, name) => page.getByRole('button', { name }).first().click();

async function openPublicRooms(page) {
  await tap(page, 'New room');
  await tap(page, 'See the rooms you can join');
  await page.getByRole('searchbox').waitFor();
}

async function openPart(page, name) {
  await page.keyboard.press('Control+,');
  await page.getByRole('dialog').getByRole('button', { name }).click();
}

/** A part of running the house. */
function houseSection(name) {
  return async (page) => {
    await page.evaluate((part) => (location.hash = `#/settings/${part}`), name);
    await page.locator('dialog section .content').waitFor();
    await settled(page);
  };
}

async function openAccount(page) {
  await houseSection('people')(page);
  await page.getByRole('button', { name: 'Manage Mila' }).click();
}

async function openBot(page) {
  await houseSection('bots')(page);
  await page.getByRole('button', { name: 'Manage Weather' }).click();
  await page.getByText('Weather station').waitFor();
}

async function openEvidence(page) {
  await houseSection('reports')(page);
  await page.getByRole('button', { name: 'Show the message' }).click();
  await page.getByText('and everybody knows it').scrollIntoViewIfNeeded();
}

async function openDecision(page) {
  await houseSection('reports')(page);
  await page.getByRole('button', { name: 'Decide' }).first().click();
  await page.getByText('Mute its writer').click();
}

async function openKeys(page) {
  await openPart(page, 'This browser');
  await page.getByRole('button', { name: 'All keys' }).click();
}

async function openVersions(page) {
  await scrollUp(page);
  await page.locator('.edited').first().click();
}

async function toBusy(page) {
  await toPassword(page);
  await page.fill('input[name=password]', 'a long walk in the rain');
  await page.keyboard.press('Enter');
}

async function failLogin(page) {
  await page.fill('input[name=username]', 'anna');
  await page.fill('input[name=password]', 'a long walk in the sun');
  await page.keyboard.press('Enter');
  await page.getByRole('alert').first().waitFor();
}

/** The menu of the message before last, by keyboard. */
async function openMenu(page) {
  await page.locator('li[data-item]').nth(-2).focus();
  await page.keyboard.press('Enter');
  await page.locator('[role=menu]').waitFor();
}

async function openPicture(page) {
  await scrollUp(page);
  await page
    .locator('.picture')
    .first()
    .click({ position: { x: 40, y: 40 } });
  await page.locator('dialog img').waitFor();
}

async function openEmoji(page) {
  await openMenu(page);
  await page.getByRole('menuitem', { name: 'More emoji' }).click();
  await page.locator('.grid button').first().waitFor();
}

async function answer(page) {
  await page.locator('li[data-item]').nth(-3).focus();
  await page.keyboard.press('r');
}

async function askDelete(page) {
  await openMenu(page);
  await page.getByRole('menuitem', { name: 'Delete' }).click();
}

/** Of somebody else's message. */
async function askReport(page) {
  await page.locator('li[data-item]:has(.message:not(.own))').last().focus();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Report' }).click();
  await page.getByLabel('Show them the message').waitFor();
}

async function openHelp(page) {
  await page.fill('textarea', '/help');
  await page.keyboard.press('Enter');
}

async function toPassword(page) {
  await page.fill('input', 'The Lindens');
  await page.keyboard.press('Enter');
  await page.fill('input[name=username]', 'anna');
  await page.keyboard.press('Enter');
  await page.fill('input[name=password]', 'short');
  await page.keyboard.press('Enter');
}

async function scrollUp(page) {
  await page.waitForSelector('.box li');
  await settled(page);
  await page.evaluate(() => document.querySelector('.box')?.scrollTo(0, 0));
}

async function openHolidays(page) {
  const back = page.locator('main header .icon-button').first();
  if ((page.viewportSize()?.width ?? 0) < 700) await back.click();
  await page.click('text=Holidays');
}

async function openInvite(page) {
  await page.getByRole('button', { name: 'Invite someone' }).first().click();
  await page.getByRole('button', { name: 'Make an invitation' }).click();
}

/** Guests come into a room of their own, not into the general one. */
async function inviteGuest(page) {
  await page.getByText('Garden').first().click();
  await page.getByRole('button', { name: 'Invite someone' }).first().click();
  await page.getByRole('radio', { name: /^A guest/ }).check();
}

async function makeGuestInvite(page) {
  await inviteGuest(page);
  await page.getByRole('button', { name: 'Make an invitation' }).click();
  await page.locator('[data-invite-link]').waitFor();
}

const choose = (page, mimeType, buffer) =>
  page.locator('dialog input[type=file]').setInputFiles({ name: 'me', mimeType, buffer });

async function openCrop(page) {
  await openPart(page, 'Profile');
  await choose(page, 'image/png', readFileSync(ICON));
  const part = page.getByRole('application');
  await part.waitFor();
  await part.scrollIntoViewIfNeeded();
}

async function chooseNoPicture(page) {
  await openPart(page, 'Profile');
  await choose(page, 'image/png', Buffer.from('no picture'));
  await page.getByRole('alert').waitFor();
}

async function openDevice(page) {
  await page.getByRole('button', { name: 'Devices' }).click();
  await page.fill('aside form input:not([type="checkbox"])', 'washer');
  await page.getByRole('button', { name: 'Get its line' }).click();
}

/** The gallery built into a folder and served; its address, and how to end it. */
export async function serveGallery(outDir) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const quiet = { root, logLevel: 'error', configFile: `${root}vite.config.ts` };
  const rollupOptions = { input: { gallery: `${root}gallery.html`, sw: `${root}src/shell/sw.ts` } };
  await build({ ...quiet, build: { outDir, emptyOutDir: true, rollupOptions } });
  const server = await preview({
    ...quiet,
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1' },
  });
  return { base: server.resolvedUrls.local[0], end: () => server.close() };
}

/** A moment at which the same picture is the same: a Thursday evening. */
const EVENING = new Date('2026-03-12T19:30:00Z');

/** Opens a screen on a page and brings it where its picture is taken. Gives the console's complaints. */
export async function openScreen(page, base, name) {
  const { scene = name, run } = screens[name];
  const complaints = [];
  page.on('console', (line) => {
    if (line.type() === 'error' || line.type() === 'warning') complaints.push(line.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  follow(page);
  await page.clock.setFixedTime(EVENING);
  await page.goto(`${base}gallery.html?scene=${scene}`);
  await page.waitForSelector('#app *');
  await settled(page);
  await run?.(page);
  await settled(page);
  return complaints;
}
