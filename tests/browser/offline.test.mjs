// The installed app in Chromium: it starts without the network, shows what is kept, takes what is
// written; says when a newer version is here; and keeps nothing of what people write in its cache.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  BACK_AGAIN, DESKTOP, House, PHONE, composer, invite, join_, openChromium, openGeneral, person,
  reads, setUp, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const ready = (page) =>
  page.waitForFunction(() => navigator.serviceWorker?.controller?.state === 'activated');

/** Everything that lies in the caches: address and text. */
const cachedTexts = (page) =>
  page.evaluate(async () => {
    const out = [];
    for (const name of await caches.keys()) {
      const cache = await caches.open(name);
      for (const request of await cache.keys()) {
        const answer = await cache.match(request);
        out.push([new URL(request.url).pathname, await answer.text()]);
      }
    }
    return out;
  });

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  describe(`without the network on a ${size}`, () => {
    let browser, house, anna, bert;

    before(async () => {
      browser = await openChromium();
      house = await new House().start();
      anna = await person(browser, viewport);
      bert = await person(browser, viewport);
      await setUp(anna.page, house, 'anna');
      await join_(bert.page, await invite(anna.page), 'bert');
    });

    after(async () => {
      await browser?.close();
      await house?.end();
    });

    test('it can be installed: a manifest with icons, a worker that no cache holds', async () => {
      const at = `http://${house.http}`;
      const manifest = await (await fetch(`${at}/manifest.webmanifest`)).json();
      for (const { src, type } of manifest.icons) {
        const icon = await fetch(at + src);
        assert.equal(icon.headers.get('content-type'), type, src);
      }
      assert.ok(manifest.icons.some(({ purpose }) => purpose === 'maskable'));
      const worker = await fetch(`${at}/sw.js`);
      assert.equal(worker.headers.get('cache-control'), 'no-cache');
      assert.match(worker.headers.get('content-type'), /javascript/);
      assert.match(worker.headers.get('content-security-policy'), /worker-src 'self'/);
      await ready(anna.page);
    });

    test('it starts without the network, with rooms and messages, and takes new ones', async () => {
      await write(bert.page, 'read me later');
      await reads(anna.page, 'read me later');
      await anna.context.setOffline(true);
      await anna.page.goto(`http://${house.http}/`);
      await openGeneral(anna.page);
      await reads(anna.page, 'read me later');
      await write(anna.page, 'written on the train');
      await anna.page.getByText(/will go out/).waitFor();
      await anna.page.screenshot({ path: join(shots, `offline-${size}.png`) });
      await anna.page.reload();
      await openGeneral(anna.page);
      await reads(anna.page, 'written on the train');
    });

    test('a file that is chosen without the network goes when it is back', async () => {
      const buffer = Buffer.from('%PDF-1.7 from the train');
      await anna.page.locator('input[type=file]')
        .setInputFiles([{ name: 'ticket.pdf', mimeType: 'application/pdf', buffer }]);
      await anna.page.getByRole('list', { name: 'Files to send' }).getByText('ticket.pdf').waitFor();
      await anna.page.getByRole('button', { name: 'Send', exact: true }).click();
      await anna.page.getByText('Waiting to be sent').first().waitFor();
      await anna.context.setOffline(false);
      await reads(bert.page, 'written on the train', BACK_AGAIN);
      await bert.page.getByRole('button', { name: /Download ticket.pdf/ }).waitFor();
    });

    test('the box away is like the network away', async () => {
      await house.kill();
      await anna.page.goto(`http://${house.http}/`);
      await openGeneral(anna.page);
      await reads(anna.page, 'written on the train');
      await write(anna.page, `the box was off on the ${size}`);
      await house.start();
      await reads(bert.page, `the box was off on the ${size}`, BACK_AGAIN);
    });

    test('a newer version is told of, and taken with a tap', async () => {
      const { page } = anna;
      // Another script in the worker's place, as after an update of the box.
      await page.evaluate(() => navigator.serviceWorker.register('/sw.js?next').then(() => null));
      const note = page.getByText('There is a new version of Hearth.');
      await note.waitFor();
      await page.screenshot({ path: join(shots, `update-${size}.png`) });
      await Promise.all([
        page.waitForEvent('load'),
        page.getByRole('button', { name: 'Reload' }).click(),
      ]);
      await openGeneral(page);
      await ready(page);
      const script = await page.evaluate(() => navigator.serviceWorker.controller.scriptURL);
      assert.match(script, /sw\.js\?next$/);
    });

    test('nothing that people write lies in its cache, and no answer of the box', async () => {
      const texts = await cachedTexts(anna.page);
      const paths = texts.map(([path]) => path);
      assert.ok(paths.includes('/') && paths.some((path) => path.startsWith('/assets/index-')));
      assert.ok(paths.every((path) => path === '/' || /^\/(assets\/|favicon|manifest)/.test(path)),
        paths.join('\n'));
      for (const canary of ['read me later', 'written on the train', 'from the train', 'ticket.pdf']) {
        assert.ok(!texts.some(([, text]) => text.includes(canary)), `"${canary}" is cached`);
      }
      assert.deepEqual([...anna.complaints, ...bert.complaints], []);
    });
  });
}
