// What a browser opened once and keeps: shown offline without being opened again, readable nowhere,
// and never believed against what came since.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  BACK_AGAIN, House, composer, invite, join_, openChromium, openGeneral, person, reads, setUp, until,
  write,
} from './house.mjs';

/** Everything in IndexedDB as text, byte by byte, with where it lies. */
const everything = (page) =>
  page.evaluate(async () => {
    const done = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const text = async (value) => {
      if (value instanceof Uint8Array) return new TextDecoder('latin1').decode(value);
      if (value instanceof Blob) return value.text();
      if (Array.isArray(value)) return (await Promise.all(value.map(text))).join('\n');
      if (typeof value !== 'object' || value === null) return String(value);
      return (await Promise.all(Object.entries(value).map(text))).join('\n');
    };
    const found = [];
    for (const { name } of await indexedDB.databases()) {
      const database = await done(indexedDB.open(name));
      for (const table of database.objectStoreNames) {
        const rows = await done(database.transaction(table).objectStore(table).getAll());
        for (const row of rows) found.push([`${name}/${table}`, await text(row)]);
      }
      database.close();
    }
    return found;
  });

/** Changes the last byte of every row of a table that holds sealed bytes under `field`. */
const damage = (page, name, table, field) =>
  page.evaluate(
    async ([name, table, field]) => {
      const open = indexedDB.open(name);
      const database = await new Promise((done) => (open.onsuccess = () => done(open.result)));
      const transaction = database.transaction(table, 'readwrite');
      let changed = 0;
      const cursor = transaction.objectStore(table).openCursor();
      cursor.onsuccess = () => {
        const { result } = cursor;
        if (result === null) return;
        const { value } = result;
        if (value[field] instanceof Uint8Array && value.class !== 'line') {
          value[field][value[field].length - 1] ^= 1;
          result.update(value);
          changed += 1;
        }
        result.continue();
      };
      await new Promise((done) => (transaction.oncomplete = done));
      database.close();
      return changed;
    },
    [name, table, field],
  );

describe('what was opened before', () => {
  let browser, house, anna, bert;
  const canary = 'the key is under the flowerpot';

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    [anna, bert] = [await person(browser), await person(browser)];
    await setUp(anna.page, house, 'anna');
    await join_(bert.page, await invite(anna.page), 'bert');
    await write(bert.page, canary);
    await reads(anna.page, canary);
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  const startOffline = async () => {
    await anna.page.goto(`http://${house.http}/`);
    await openGeneral(anna.page);
  };

  test('lies sealed, and a start without the network shows it', async () => {
    const rows = await everything(anna.page);
    assert.ok(rows.some(([where]) => where === 'hearth-keys/opened'));
    for (const [where, text] of rows) assert.ok(!text.includes('flowerpot'), where);
    await anna.page.waitForFunction(
      () => navigator.serviceWorker?.controller?.state === 'activated',
    );
    await anna.context.setOffline(true);
    await startOffline();
    await reads(anna.page, canary);
  });

  test('where it was altered, the event is opened anew', async () => {
    assert.ok((await damage(anna.page, 'hearth-keys', 'opened', 'sealed')) > 0);
    await startOffline();
    await reads(anna.page, canary);
  });

  test('an event that was altered is not shown from it', async () => {
    assert.ok((await damage(anna.page, 'hearth', 'events', 'bytes')) > 0);
    await startOffline();
    await anna.page.getByText('this message does not open here').first().waitFor();
    assert.equal(await anna.page.locator('main').getByText(canary).count(), 0);
    await damage(anna.page, 'hearth', 'events', 'bytes');
    await startOffline();
    await reads(anna.page, canary);
    await anna.context.setOffline(false);
  });

  test('goes when the message is deleted by who wrote it', async () => {
    const long = `the long story ${'of the flowerpot '.repeat(90)}`.trim();
    await write(bert.page, long);
    await reads(anna.page, long, BACK_AGAIN);
    const kept = async () => {
      const rows = (await everything(anna.page)).filter(([at]) => at === 'hearth-keys/opened');
      return rows.reduce((sum, [, text]) => sum + text.length, 0);
    };
    const before = await kept();
    const row = bert.page.locator('main li[data-item]').filter({ hasText: 'the long story' });
    await row.hover();
    await row.getByRole('button', { name: 'More' }).click();
    await bert.page.getByRole('menuitem', { name: 'Delete' }).click();
    await bert.page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    const there = anna.page.locator('main li[data-item]').filter({ hasText: 'the long story' });
    await there.waitFor({ state: 'detached' });
    await write(bert.page, 'gone');
    await reads(anna.page, 'gone');
    // The tombstone and the last message came in its place: some 320 bytes each.
    await until(async () => (await kept()) < before - 500, true);
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });

  test('log-out leaves nothing of it', async () => {
    const { page } = anna;
    await composer(page).waitFor();
    await page.keyboard.press('Control+,');
    await page.getByRole('button', { name: 'This browser' }).click();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('group').getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Welcome back' }).waitFor();
    const left = (await everything(page)).filter(([where]) => where.startsWith('hearth-keys/'));
    assert.deepEqual(left, []);
  });
});
