// Takes pictures of the gallery's screens: node scripts/shots.mjs FOLDER [SCREEN …]
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openChromium } from '../../tests/browser/house.mjs';
import { openScreen, screens, serveGallery, SIZES } from './screens.mjs';

const [folder, ...wanted] = process.argv.slice(2);
if (folder === undefined) throw new Error('say where the pictures go: shots.mjs FOLDER [SCREEN …]');

const built = await mkdtemp(join(tmpdir(), 'hearth-gallery-'));
await mkdir(folder, { recursive: true });
const { base, end } = await serveGallery(built);
const browser = await openChromium();
try {
  for (const [size, viewport] of Object.entries(SIZES)) {
    const touch = size !== 'desktop';
    const context = await browser.newContext({
      viewport,
      locale: process.env['SHOTS_LOCALE'] ?? 'en-GB',
      timezoneId: 'Europe/Paris',
      reducedMotion: 'reduce',
      hasTouch: touch,
      isMobile: touch,
    });
    for (const name of wanted.length > 0 ? wanted : Object.keys(screens)) {
      if (!(screens[name].sizes ?? ['phone', 'desktop']).includes(size)) continue;
      const page = await context.newPage();
      const complaints = await openScreen(page, base, name);
      for (const colorScheme of ['light', 'dark']) {
        await page.emulateMedia({ colorScheme });
        await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`) });
      }
      for (const complaint of complaints) console.log(`${name} ${size}: ${complaint}`);
      await page.close();
    }
    await context.close();
  }
} finally {
  await browser.close();
  await end();
  await rm(built, { recursive: true, force: true });
}
