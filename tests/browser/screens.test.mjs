// Every screen of the gallery on a phone and a desktop, light and dark: nothing that axe-core finds wrong,
// no complaint of the page, and the picture that is committed. SCREENS=write takes the pictures anew,
// SCREENS_ONLY=talk,login looks at some.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { SIZES, openScreen, screens, serveGallery } from '../../webclient/scripts/screens.mjs';
import { settled } from '../../webclient/scripts/settled.mjs';
import { PATIENCE_MS, openChromium } from './house.mjs';
import { Baseline } from './baseline.mjs';
import { faults } from './sight.mjs';

const contextOf = (browser, size, more = {}) =>
  browser.newContext({
    viewport: SIZES[size],
    locale: 'en-GB',
    timezoneId: 'Europe/Paris',
    reducedMotion: 'reduce',
    hasTouch: size !== 'desktop',
    isMobile: size !== 'desktop',
    bypassCSP: true,
    ...more,
  });

/** Screens that are also looked at in French. */
const FRENCH = ['login', 'sheet', 'talk', 'people', 'settings'];

describe('every screen', () => {
  let browser, folder, gallery, baseline;

  before(async () => {
    browser = await openChromium();
    folder = mkdtempSync(join(tmpdir(), 'hearth-gallery-'));
    gallery = await serveGallery(folder);
    baseline = await Baseline.open(browser, process.env.SCREENS === 'write');
  });

  after(async () => {
    await baseline?.end();
    await browser?.close();
    await gallery?.end();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What is wrong on one screen, in both themes; they differ in their colours only. */
  async function look(page, name, place) {
    const complaints = await openScreen(page, gallery.base, name);
    const wrong = [];
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await settled(page);
      const where = `${name}-${place.replace(' ', `-${colorScheme}`)}`;
      const rules = colorScheme === 'light' ? null : ['color-contrast'];
      const found = screens[name].paper === true ? [] : await faults(page, rules);
      for (const fault of found) wrong.push(`${where}: ${fault}`);
      const picture = await page.screenshot({ animations: 'disabled', caret: 'hide' });
      const differs = await baseline.compare(where, picture);
      if (differs !== null) wrong.push(`${where}: ${differs}`);
    }
    return [...wrong, ...complaints.map((complaint) => `${name}: ${complaint}`)];
  }

  const only = process.env.SCREENS_ONLY?.split(',') ?? Object.keys(screens);

  /** Screens one after the other. `place`: the size, a space, and what ends the pictures' names. */
  async function walk(context, place, names) {
    const wrong = [];
    for (const name of names.filter((one) => only.includes(one))) {
      const page = await context.newPage();
      page.setDefaultTimeout(PATIENCE_MS);
      wrong.push(...(await look(page, name, place).catch((error) => [`${name}: ${error}`])));
      await page.close();
    }
    return wrong;
  }

  for (const size of Object.keys(SIZES)) {
    const names = Object.keys(screens).filter((name) =>
      (screens[name].sizes ?? ['phone', 'desktop']).includes(size));
    test(`on a ${size}`, async () => {
      const context = await contextOf(browser, size);
      assert.deepEqual(await walk(context, `${size} `, names), []);
      await context.close();
    });
  }

  test('some in French', async () => {
    const context = await contextOf(browser, 'phone', { locale: 'fr-FR' });
    assert.deepEqual(await walk(context, 'phone -fr', FRENCH), []);
    await context.close();
  });

  test('a picture of something else is told apart', async (t) => {
    if (!baseline.applies) return t.skip(baseline.why);
    const context = await contextOf(browser, 'phone');
    const page = await context.newPage();
    await openScreen(page, gallery.base, 'login');
    await page.addStyleTag({ content: 'form { margin-top: 40px }' });
    assert.notEqual(await baseline.compare('login-phone-light', await page.screenshot(), true), null);
    await context.close();
  });
});
