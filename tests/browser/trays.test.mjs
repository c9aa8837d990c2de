// Files that were chosen and not sent, in Chromium: they lie there again after a reload and after the page
// was closed, sealed where the browser keeps them, and are gone with a log-out.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, invite, join_, openChromium, openGeneral, person, reads, setUp,
  signIn, until, write,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const tray = (page) => page.getByRole('list', { name: 'Files to send' });
const pdf = (name) => ({
  name,
  mimeType: 'application/pdf',
  buffer: Buffer.from(`%PDF-1.7 the canary of ${name}`),
});

/** What IndexedDB has of trays: how many files, and whether any of their words can be read. */
const kept = (page) =>
  page.evaluate(async () => {
    const asked = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await asked(indexedDB.open('hearth'));
    const tables = database.transaction(['meta', 'files']);
    const range = IDBKeyRange.bound('tray/', 'tray/\uffff');
    const files = await asked(tables.objectStore('files').getAll(range));
    const about = await asked(tables.objectStore('meta').getAll(range));
    database.close();
    const bytes = [...files, ...about.map((row) => row.about)];
    const readable = bytes.map((one) => new TextDecoder('latin1').decode(one)).join();
    return { files: files.length, readable: /canary|\.pdf/.test(readable) };
  });

/** The files are kept a moment after they are shown. */
async function keeps(page, files) {
  await until(async () => (await kept(page)).files, files);
}

describe('chosen files', () => {
  let browser, house, anna, bert;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    bert = await person(browser, PHONE);
    await join_(bert.page, await invite(anna.page), 'bert');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('lie in their tray after a reload, sealed, and are sent once', async () => {
    await anna.page.locator('input[type=file]').first().setInputFiles([pdf('one.pdf'), pdf('two.pdf')]);
    await tray(anna.page).getByText('two.pdf').waitFor();
    await keeps(anna.page, 2);
    assert.equal((await kept(anna.page)).readable, false);
    await anna.page.reload();
    await openGeneral(anna.page);
    await tray(anna.page).getByText('two.pdf').waitFor();
    await anna.page.screenshot({ path: join(shots, 'trays-again.png') });
    await anna.page.getByRole('button', { name: 'Leave one.pdf out' }).click();
    await keeps(anna.page, 1);
    await write(anna.page, 'the plans');
    await reads(bert.page, 'the plans');
    await bert.page.getByText('two.pdf').first().waitFor();
    await keeps(anna.page, 0);
    await anna.page.reload();
    await openGeneral(anna.page);
    await reads(anna.page, 'the plans');
    assert.equal(await tray(anna.page).count(), 0);
  });

  test('come back where the page was closed, and go with a log-out', async () => {
    await anna.page.locator('input[type=file]').first().setInputFiles([pdf('three.pdf')]);
    await tray(anna.page).getByText('three.pdf').waitFor();
    await keeps(anna.page, 1);
    await anna.page.close();
    anna.page = await anna.context.newPage();
    await anna.page.goto(`http://${house.http}/`);
    await openGeneral(anna.page);
    await tray(anna.page).getByText('three.pdf').waitFor();
    await anna.page.evaluate(() => (location.hash = '#/settings/look'));
    const dialog = anna.page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Sign out' }).click();
    await dialog.getByRole('button', { name: 'Sign out' }).last().click();
    await anna.page.getByRole('button', { name: 'Sign in', exact: true }).waitFor();
    assert.deepEqual(await kept(anna.page), { files: 0, readable: false });
    await signIn(anna.page, house, 'anna');
    assert.equal(await tray(anna.page).count(), 0);
    for (const { complaints } of [anna, bert]) assert.deepEqual(complaints, []);
  });
});
