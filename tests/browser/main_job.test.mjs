// The main job in Chromium: set up, invite, chat, a third browser, a device, a killed box.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  BACK_AGAIN, DESKTOP, House, PHONE, composer, everythingOnDisk, invite, join_, openChromium, person,
  reads, setUp, signIn, write,
} from './house.mjs';

const run = promisify(execFile);
const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  describe(`on a ${size}`, () => {
    let browser, house, anna, bert, link;
    const traffic = [];

    /** Keeps what a page sends and gets, bodies and frames, to look for what must not be there. */
    function listenIn(page) {
      page.on('request', (request) => {
        if (request.postData() !== null) traffic.push(Buffer.from(request.postData()));
      });
      page.on('response', async (response) => {
        if (!response.url().includes('/api/')) return;
        const body = await response.body().catch(() => null);
        if (body !== null) traffic.push(body);
      });
      page.on('websocket', (socket) => {
        const keep = ({ payload }) => traffic.push(Buffer.from(payload));
        socket.on('framesent', keep);
        socket.on('framereceived', keep);
      });
    }

    before(async () => {
      browser = await openChromium();
      house = await new House().start();
      anna = await person(browser, viewport);
      bert = await person(browser, viewport);
      listenIn(anna.page);
      listenIn(bert.page);
    });

    after(async () => {
      await browser?.close();
      await house?.end();
    });

    test('the set-up link makes the house and lands in the sealed general room', async () => {
      const code = await setUp(anna.page, house, 'anna');
      assert.match(code, /^AGE-SECRET-KEY-1[0-9A-Z]{58}$/);
      await anna.page.getByText('Sealed', { exact: true }).first().waitFor();
      assert.ok(!anna.page.url().includes('#'), 'the secret left the address bar');
      await write(anna.page, 'Anyone home?');
      await reads(anna.page, 'Anyone home?');
      await anna.page.screenshot({ path: join(shots, `${size}-room.png`) });
    });

    test('a newcomer with the link sees the room with its history', async () => {
      link = await invite(anna.page);
      assert.match(link, /\/i\/[0-9A-Z]{10}#[\w-]{43}$/);
      await join_(bert.page, link, 'bert');
      assert.ok(!bert.page.url().includes('#'), 'the secret left the address bar');
      await reads(bert.page, 'Anyone home?');
    });

    test('both write, each message reaches the other and is stored', async () => {
      await write(bert.page, 'I am here');
      await reads(anna.page, 'I am here');
      await write(anna.page, 'Dinner at seven');
      await reads(bert.page, 'Dinner at seven');
      await anna.page.locator('[data-delivery=stored]').last().waitFor();
      await anna.page.reload();
      await reads(anna.page, 'I am here');
      await reads(anna.page, 'Dinner at seven');
    });

    test('a third, new browser of the same person reads the whole history', async () => {
      const third = await person(browser, viewport);
      await signIn(third.page, house, 'anna');
      for (const text of ['Anyone home?', 'I am here', 'Dinner at seven']) {
        await reads(third.page, text);
      }
      await write(third.page, 'from the new phone');
      await reads(bert.page, 'from the new phone');
      await third.context.close();
      assert.deepEqual(third.complaints, []);
    });

    test('a device posts sealed with the line it was given', async () => {
      await anna.page.getByRole('button', { name: 'Devices' }).click();
      await anna.page.getByLabel('What is it called?').fill('washer');
      await anna.page.getByRole('button', { name: 'Get its line' }).click();
      const line = await anna.page.locator('[data-device-line=mqtt]').innerText();
      assert.match(line, /age -r age1\w+ .*mosquitto_pub/);
      await run('sh', ['-c', line]);
      await anna.page.keyboard.press('Escape');
      await reads(anna.page, 'Washing done');
      await reads(bert.page, 'Washing done');
      await bert.page.getByText('posted by washer').first().waitFor();
      await bert.page.screenshot({ path: join(shots, `${size}-post.png`) });
    });

    test('what is written while the box is dead goes out once when it is back', async () => {
      await house.kill();
      await write(anna.page, 'written in the dark');
      await anna.page.getByText(/will go out/).waitFor();
      await house.start();
      await reads(bert.page, 'written in the dark', BACK_AGAIN);
      await bert.page.reload();
      await reads(bert.page, 'written in the dark');
      await composer(bert.page).waitFor();
      await write(bert.page, 'light again');
      await reads(anna.page, 'light again');
    });

    test('what was written is nowhere on the disk and in no traffic', () => {
      const canaries = ['Anyone home?', 'Dinner at seven', 'Washing done', 'written in the dark'];
      const kept = everythingOnDisk(house.folder);
      assert.ok(kept.length > 2 && traffic.length > 20, 'there was something to look at');
      for (const canary of canaries) {
        assert.ok(!kept.some((bytes) => bytes.includes(canary)), `"${canary}" lies on the disk`);
        assert.ok(!traffic.some((bytes) => bytes.includes(canary)), `"${canary}" was sent`);
      }
    });

    test('an invite that is used up says so', async () => {
      const late = await person(browser, viewport);
      await late.page.goto(link);
      await late.page.getByText('used').first().waitFor();
      await late.context.close();
    });

    test('no page complained', () => {
      assert.deepEqual([...anna.complaints, ...bert.complaints], []);
    });
  });
}
