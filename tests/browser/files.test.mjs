// Files in Chromium: photos without what the camera wrote, files, several at once, by button, paste
// and drop; large ones cut off in the middle; open rooms; two tabs; nothing of them on the box.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  BACK_AGAIN, DESKTOP, House, PHONE, composer, everythingOnDisk, invite, join_, openChromium,
  openGeneral, person, reads, setUp, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const CANARY = 'the-canary-sat-in-the-kitchen';

/** A JPEG as a camera makes it: with a place in its EXIF data. */
async function photo(page, width, height) {
  const base = await page.evaluate(async ([w, h]) => {
    const canvas = new OffscreenCanvas(w, h);
    const context = canvas.getContext('2d');
    const colours = context.createLinearGradient(0, 0, w, h);
    colours.addColorStop(0, 'orange');
    colours.addColorStop(1, 'teal');
    context.fillStyle = colours;
    context.fillRect(0, 0, w, h);
    const blob = await canvas.convertToBlob({ type: 'image/jpeg' });
    return [...new Uint8Array(await blob.arrayBuffer())];
  }, [width, height]);
  const place = Buffer.from(`Exif\0\0${CANARY}`);
  const segment = Buffer.from([0xff, 0xe1, 0, place.length + 2]);
  return Buffer.concat([Buffer.from(base.slice(0, 2)), segment, place, Buffer.from(base.slice(2))]);
}

const pdf = (words, bytes = 0) =>
  Buffer.concat([Buffer.from(`%PDF-1.7 ${words}\n`), Buffer.alloc(bytes, 7)]);

const input = (page) => page.locator('input[type=file]');
const tray = (page) => page.getByRole('list', { name: 'Files to send' });
const row = (page, text) => page.locator('li[data-item]').filter({ hasText: text }).last();

async function attach(page, ...files) {
  await input(page).setInputFiles(files);
  await tray(page).getByRole('listitem').last().waitFor();
}

async function downloaded(page, click) {
  const [download] = await Promise.all([page.waitForEvent('download'), click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

/** Waits until a picture in a row is really drawn. */
async function drawn(page, text) {
  await row(page, text).locator('.picture img:not(.small)').first().waitFor();
  await page.waitForFunction(
    (image) => image.complete && image.naturalWidth > 0,
    await row(page, text).locator('.picture img:not(.small)').first().elementHandle(),
  );
}

/** Bytes a second, at which the files of the tests below take more than a minute. */
const SLOW = 40_000;

/** So many bytes a second go out, and no more. */
async function slowly(page, bytesPerSecond) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Network.enable');
  const set = (offline, uploadThroughput) =>
    devtools.send('Network.emulateNetworkConditions', {
      offline, latency: 0, downloadThroughput: -1, uploadThroughput,
    });
  await set(false, bytesPerSecond);
  return { cut: () => set(true, 0), mend: () => set(false, -1) };
}

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  describe(`files on a ${size}`, () => {
    let browser, house, anna, bert;

    before(async () => {
      browser = await openChromium();
      house = await new House().start();
      anna = await person(browser, viewport, { hasTouch: size === 'phone' });
      bert = await person(browser, viewport, { hasTouch: size === 'phone' });
      await setUp(anna.page, house, 'anna');
      await join_(bert.page, await invite(anna.page), 'bert');
    });

    after(async () => {
      await browser?.close();
      await house?.end();
    });

    test('a photo goes without the place where it was taken, and is shown in its place', async () => {
      const buffer = await photo(anna.page, 1_600, 1_000);
      assert.ok(buffer.includes(CANARY));
      await attach(anna.page, { name: 'garden.jpg', mimeType: 'image/jpeg', buffer });
      await tray(anna.page).getByText('without place and time').waitFor();
      await anna.page.screenshot({ path: join(shots, `files-tray-${size}.png`) });
      await composer(anna.page).fill('the garden');
      await anna.page.keyboard.press('Enter');
      await reads(bert.page, 'the garden');
      await drawn(bert.page, 'the garden');
      await drawn(anna.page, 'the garden');
      const box = await row(bert.page, 'the garden').locator('.picture').boundingBox();
      assert.ok(Math.abs(box.width / box.height - 1.6) < 0.05, `${box.width} x ${box.height}`);
      await bert.page.screenshot({ path: join(shots, `files-photo-${size}.png`) });
    });

    test('it opens large, by keyboard too, and the focus comes back', async () => {
      const { page } = bert;
      await row(page, 'the garden').focus();
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      const large = page.locator('dialog img');
      await large.waitFor();
      await page.keyboard.press('+');
      await page.waitForFunction(() => /scale\(1\.5\)/.test(
        document.querySelector('dialog img')?.style.transform ?? ''));
      await page.screenshot({ path: join(shots, `files-large-${size}.png`) });
      const { name, bytes } = await downloaded(page, () =>
        page.getByRole('dialog').getByRole('button', { name: 'Download' }).click());
      assert.equal(name, 'garden.jpg');
      assert.equal(bytes.subarray(0, 3).toString('hex'), 'ffd8ff');
      assert.ok(!bytes.includes(CANARY), 'the place stayed behind');
      await page.keyboard.press('Escape');
      await large.waitFor({ state: 'detached' });
      assert.equal(await page.evaluate(() => document.activeElement?.className.includes('picture')), true);
    });

    test('the original goes where somebody wants it', async () => {
      const buffer = await photo(anna.page, 300, 200);
      await attach(anna.page, { name: 'as-it-is.jpg', mimeType: 'image/jpeg', buffer });
      await tray(anna.page).getByRole('button', { name: 'Send the original: as-it-is.jpg' }).click();
      await tray(anna.page).getByText('it may say where').waitFor();
      await composer(anna.page).fill('as it is');
      await anna.page.keyboard.press('Enter');
      await drawn(bert.page, 'as it is');
      await row(bert.page, 'as it is').locator('.picture').click();
      const { bytes } = await downloaded(bert.page, () =>
        bert.page.getByRole('dialog').getByRole('button', { name: 'Download' }).click());
      assert.ok(bytes.equals(buffer));
      await bert.page.keyboard.press('Escape');
    });

    test('several files go at once, and arrive as they were', async () => {
      const [one, two] = [pdf('one'), Buffer.from('just words')];
      await attach(anna.page,
        { name: 'one.pdf', mimeType: 'application/pdf', buffer: one },
        { name: 'notes.txt', mimeType: 'text/plain', buffer: two });
      await anna.page.getByRole('button', { name: 'Send', exact: true }).click();
      await row(bert.page, 'notes.txt').waitFor();
      for (const [name, sent] of [['one.pdf', one], ['notes.txt', two]]) {
        const got = await downloaded(bert.page, () =>
          bert.page.getByRole('button', { name: `Download ${name}` }).click());
        assert.equal(got.name, name);
        assert.ok(got.bytes.equals(sent), name);
      }
    });

    test('what is pasted and what is dropped is attached', async () => {
      await composer(anna.page).focus();
      await anna.page.evaluate(() => {
        const data = new DataTransfer();
        data.items.add(new File(['%PDF-1.7 pasted'], 'pasted.pdf', { type: 'application/pdf' }));
        const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true });
        document.activeElement.dispatchEvent(event);
      });
      await tray(anna.page).getByText('pasted.pdf').waitFor();
      await anna.page.evaluate(() => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['%PDF-1.7 dropped'], 'dropped.pdf'));
        const list = document.querySelector('main .box');
        for (const kind of ['dragenter', 'dragover', 'drop']) {
          list.dispatchEvent(new DragEvent(kind, { dataTransfer, bubbles: true, cancelable: true }));
        }
      });
      await tray(anna.page).getByText('dropped.pdf').waitFor();
      await anna.page.getByRole('button', { name: 'Leave dropped.pdf out' }).click();
      await anna.page.getByRole('button', { name: 'Send', exact: true }).click();
      await row(bert.page, 'pasted.pdf').waitFor();
      assert.equal(await bert.page.getByText('dropped.pdf').count(), 0);
    });

    test('a file too large is refused in words, before it goes', async () => {
      const buffer = pdf('film', 10 * 1024 * 1024);
      await attach(anna.page, { name: 'film.pdf', mimeType: 'application/pdf', buffer });
      await tray(anna.page).getByText('A file has at most 10 MB.').waitFor();
      const send = anna.page.getByRole('button', { name: 'Send', exact: true });
      assert.equal(await send.getAttribute('aria-disabled'), 'true');
      await anna.page.getByRole('button', { name: 'Leave film.pdf out' }).click();
      await tray(anna.page).waitFor({ state: 'detached' });
    });

    test('an upload that the network and the box cut off goes on by itself, once', async () => {
      const network = await slowly(anna.page, SLOW);
      const buffer = pdf(CANARY, 3_000_000);
      await attach(anna.page, { name: 'big.pdf', mimeType: 'application/pdf', buffer });
      await composer(anna.page).fill('a big one');
      await anna.page.keyboard.press('Enter');
      const way = row(anna.page, 'a big one').getByText(/Sending… [1-9]/);
      await way.waitFor();
      await anna.page.screenshot({ path: join(shots, `files-way-${size}.png`) });
      await network.cut();
      await row(anna.page, 'a big one').getByText('Waiting to be sent').waitFor();
      await house.kill();
      await anna.page.reload().catch(() => undefined);
      await house.start();
      await network.mend();
      await anna.page.goto(`http://${house.http}/`);
      await openGeneral(anna.page);
      await reads(bert.page, 'a big one', BACK_AGAIN);
      const { bytes } = await downloaded(bert.page, () =>
        bert.page.getByRole('button', { name: 'Download big.pdf' }).click());
      assert.ok(bytes.equals(buffer));
    });

    test('what is on its way can be taken back', async () => {
      const network = await slowly(anna.page, SLOW);
      const buffer = pdf('never', 3_000_000);
      await attach(anna.page, { name: 'never.pdf', mimeType: 'application/pdf', buffer });
      await composer(anna.page).fill('never mind');
      await anna.page.keyboard.press('Enter');
      await row(anna.page, 'never mind').getByText(/Sending…/).waitFor();
      await row(anna.page, 'never mind').getByRole('button', { name: 'Do not send' }).click();
      await anna.page.getByText('never mind').waitFor({ state: 'detached' });
      await network.mend();
      await write(anna.page, `after it on the ${size}`);
      await reads(bert.page, `after it on the ${size}`);
      assert.equal(await bert.page.getByText('never mind').count(), 0);
    });

    test('a tab that follows sends through the one that leads', async () => {
      const second = await anna.context.newPage();
      await second.goto(`http://${house.http}/`);
      await openGeneral(second);
      await attach(second, { name: 'tab.pdf', mimeType: 'application/pdf', buffer: pdf('tab') });
      await composer(second).fill('from the second tab');
      await second.keyboard.press('Enter');
      await row(bert.page, 'from the second tab').waitFor();
      await second.close();
    });

    test('an open room takes pictures, shows them, and refuses what it does not take', async () => {
      if (size === 'phone') await anna.page.getByRole('button', { name: /Back/ }).first().click();
      await anna.page.getByRole('button', { name: 'New room' }).click();
      const dialog = anna.page.getByRole('dialog');
      await dialog.getByLabel('Name').fill('Kitchen');
      await dialog.getByText('The box can read it too').click();
      await dialog.getByRole('button', { name: 'Make the room' }).click();
      await anna.page.getByRole('heading', { name: 'Kitchen' }).waitFor();
      await attach(anna.page, { name: 'run.sh', mimeType: 'text/x-sh', buffer: Buffer.from('#!/bin/sh') });
      await tray(anna.page).getByText('In an open room the box takes').waitFor();
      await anna.page.getByRole('button', { name: 'Leave run.sh out' }).click();
      const buffer = await photo(anna.page, 640, 480);
      await attach(anna.page, { name: 'oven.jpg', mimeType: 'image/jpeg', buffer });
      await composer(anna.page).fill('the oven');
      await anna.page.keyboard.press('Enter');
      await drawn(anna.page, 'the oven');
      await anna.page.reload();
      // A reload on a phone stays in the room.
      if (size === 'desktop') await anna.page.getByRole('navigation').getByText('Kitchen').click();
      await drawn(anna.page, 'the oven');
    });

    test('nothing of a sealed file lies on the box, and no page complained', () => {
      const kept = everythingOnDisk(house.folder);
      assert.ok(kept.length > 2);
      for (const word of [CANARY, 'garden.jpg', 'big.pdf', 'just words']) {
        assert.ok(!kept.some((bytes) => bytes.includes(word)), `"${word}" lies on the box`);
      }
      assert.deepEqual([...anna.complaints, ...bert.complaints], []);
    });
  });
}
