// Takes pictures of the gallery's scenes: node scripts/shots.mjs FOLDER [SCENE …]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { createServer } from 'vite';

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where the pictures go: shots.mjs FOLDER [SCENE …]');

const sizes = { phone: { width: 390, height: 844 }, desktop: { width: 1280, height: 800 } };

/** What to do in a scene before its picture; scenes without an entry are taken as they are. */
const steps = {
  setup: {},
  'setup-3': { scene: 'setup', run: toPassword },
  sheet: {},
  'sheet-print': { scene: 'sheet', run: (page) => page.emulateMedia({ media: 'print' }) },
  join: {},
  'join-gone': {},
  login: {},
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
  'talk-versions': { scene: 'talk', run: (page) => page.locator('.edited').first().click() },
  'talk-delete': { scene: 'talk', run: askDelete },
  'talk-help': { scene: 'talk', run: openHelp },
  files: {},
  'files-top': { scene: 'files', run: scrollUp },
  'files-large': { scene: 'files', run: openPicture },
  offline: {},
  waiting: {},
  changed: {},
  new: { scene: 'room', run: openHolidays },
  invite: { scene: 'room', run: openInvite },
  device: { scene: 'room', run: openDevice },
  people: { scene: 'room', run: (page) => page.click('button.people') },
  readers: { scene: 'room', run: (page) => page.click('button.chip') },
  'new-room': { scene: 'rooms', run: openNewRoom },
  settings: { scene: 'rooms', run: (page) => page.click('button.me:visible') },
  'house-people': { scene: 'rooms', run: houseSection('people') },
  'house-guests': { scene: 'rooms', run: houseSection('guests') },
  'house-invites': { scene: 'rooms', run: houseSection('invites') },
  'house-reports': { scene: 'rooms', run: houseSection('reports') },
  'house-house': { scene: 'rooms', run: houseSection('house') },
  'house-storage': { scene: 'rooms', run: houseSection('storage') },
  'house-addresses': { scene: 'rooms', run: houseSection('addresses') },
  'house-health': { scene: 'rooms', run: houseSection('health') },
  'house-log': { scene: 'rooms', run: houseSection('log') },
  'house-person': { scene: 'rooms', run: openAccount },
  'house-decide': { scene: 'rooms', run: openDecision },
  tablet: {
    scene: 'room',
    sizes: ['tablet'],
    run: (page) => page.click('main header .icon-button'),
  },
};

/** The menu of the message before last, by keyboard. */
async function openMenu(page) {
  await page.locator('li[data-item]').nth(-2).focus();
  await page.keyboard.press('Enter');
  await page.locator('[role=menu]').waitFor();
}

async function openPicture(page) {
  await scrollUp(page);
  await page.locator('.picture').first().click({ position: { x: 40, y: 40 } });
  await page.locator('dialog img').waitFor();
}

async function openEmoji(page) {
  await openMenu(page);
  await page.getByRole('menuitem', { name: 'More emoji' }).click();
  await page.locator('.grid button').first().waitFor();
  await page.waitForTimeout(300);
}

async function answer(page) {
  await page.locator('li[data-item]').nth(-3).focus();
  await page.keyboard.press('r');
}

async function askDelete(page) {
  await openMenu(page);
  await page.getByRole('menuitem', { name: 'Delete' }).click();
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
  await page.waitForTimeout(400);
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

async function openDevice(page) {
  await page.getByRole('button', { name: 'Devices' }).click();
  await page.fill('aside input', 'washer');
  await page.getByRole('button', { name: 'Get its line' }).click();
}

/** A part of running the house. */
function houseSection(name) {
  return async (page) => {
    await page.evaluate((part) => (location.hash = `#/settings/${part}`), name);
    await page.locator('dialog section .content').waitFor();
    await page.waitForTimeout(600);
  };
}

async function openAccount(page) {
  await houseSection('people')(page);
  await page.getByRole('button', { name: 'Manage Mila' }).click();
}

async function openDecision(page) {
  await houseSection('reports')(page);
  await page.getByRole('button', { name: 'Decide' }).first().click();
  await page.getByText('Mute its writer').click();
}

async function openNewRoom(page) {
  await page.getByRole('button', { name: 'New room' }).click();
}

async function shoot(context, base, name, size, scheme) {
  const step = steps[name] ?? {};
  const page = await context.newPage();
  const complaints = [];
  page.on('console', (line) => {
    if (line.type() === 'error' || line.type() === 'warning') complaints.push(line.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  await page.emulateMedia({ colorScheme: scheme, reducedMotion: 'reduce' });
  await page.goto(`${base}gallery?scene=${step.scene ?? name}`);
  await page.waitForSelector('#app *');
  await page.waitForTimeout(250);
  await step.run?.(page);
  await page.waitForTimeout(250);
  const path = join(folder, `${name}-${size}-${scheme}.png`);
  await page.screenshot({ path });
  await page.close();
  for (const complaint of complaints) console.log(`${name} ${size} ${scheme}: ${complaint}`);
}

const server = await createServer({ server: { port: 0, host: '127.0.0.1' }, logLevel: 'error' });
await server.listen();
const base = server.resolvedUrls?.local[0];
const profile = await mkdtemp(join(tmpdir(), 'hearth-shots-'));
await mkdir(folder, { recursive: true });
const all = { ...sizes, tablet: { width: 820, height: 1180 } };
try {
  for (const size of Object.keys(all)) {
    const context = await chromium.launchPersistentContext(join(profile, size), {
      executablePath: '/usr/bin/chromium',
      headless: true,
      viewport: all[size],
      locale: process.env['SHOTS_LOCALE'] ?? 'en-GB',
      hasTouch: size !== 'desktop',
      isMobile: size !== 'desktop',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    for (const name of wanted.length > 0 ? wanted : Object.keys(steps)) {
      const sizesOf = steps[name]?.sizes ?? ['phone', 'desktop'];
      if (!sizesOf.includes(size)) continue;
      for (const scheme of ['light', 'dark']) await shoot(context, base, name, size, scheme);
    }
    await context.close();
  }
} finally {
  await server.close();
  await rm(profile, { recursive: true, force: true });
}
