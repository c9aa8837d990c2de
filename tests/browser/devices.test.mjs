// Devices of a room in Chromium: the very lines that the panel shows, run in a shell with the real
// mosquitto_pub, age and curl; over TLS with the certificate that the panel saves.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { DESKTOP, House, PHONE, openChromium, person, setUp } from './house.mjs';

const run = promisify(execFile);
const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

/** A port that nobody has at this moment. */
async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

const panel = (page) => page.getByRole('complementary');

/** The lines that the panel shows, by their kind. */
async function shownLines(page) {
  await panel(page).locator('[data-device-line]').first().waitFor();
  const lines = {};
  for (const one of await panel(page).locator('[data-device-line]').all()) {
    lines[await one.getAttribute('data-device-line')] = await one.innerText();
  }
  return lines;
}

async function addDevice(page, name, { plain = false } = {}) {
  const devices = page.getByRole('button', { name: 'Devices', exact: true });
  if ((await panel(page).count()) === 0) await devices.click();
  await panel(page).getByLabel('What is it called?').fill(name);
  if (plain) await panel(page).getByLabel('It cannot seal what it posts').check();
  await panel(page).getByRole('button', { name: 'Get its line' }).click();
  return shownLines(page);
}

/** How many posts of a device are shown once there are so many. */
const posts = (page, name, count) =>
  page
    .locator('main')
    .getByText(`posted by ${name}`)
    .nth(count - 1)
    .waitFor();

let browser, house, anna, folder;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hearth-device-'));
  browser = await openChromium();
  const [https, mqtts] = [await freePort(), await freePort()];
  house = await new House([
    '--https', `127.0.0.1:${https}`, '--mqtts', `127.0.0.1:${mqtts}`,
  ]).start();
  anna = await person(browser, DESKTOP);
  await setUp(anna.page, house, 'anna');
});

after(async () => {
  await browser?.close();
  await house?.end();
  rmSync(folder, { recursive: true, force: true });
  assert.deepEqual(anna?.complaints, []);
});

/** In the device's folder, where ca.crt lies. */
const shell = (line) => run('sh', ['-c', line], { cwd: folder });

describe('a device', () => {
  let lines, token;

  test('posts sealed by every line that the panel shows', async () => {
    lines = await addDevice(anna.page, 'washer');
    assert.deepEqual(Object.keys(lines), ['mqtt', 'mqtts', 'http', 'https', 'token']);
    await anna.page.screenshot({ path: join(shots, 'devices-lines.png') });
    const saving = anna.page.waitForEvent('download');
    await panel(anna.page).getByRole('link', { name: 'Save ca.crt' }).click();
    await (await saving).saveAs(join(folder, 'ca.crt'));
    assert.match(readFileSync(join(folder, 'ca.crt'), 'utf8'), /^-----BEGIN CERTIFICATE-----/);
    let sent = 0;
    for (const kind of ['mqtt', 'mqtts', 'http', 'https']) {
      assert.match(lines[kind], /^echo "Washing done" \| age -r age1\w+ \| /, kind);
      await shell(lines[kind]);
      await posts(anna.page, 'washer', (sent += 1));
    }
  });

  test('is listed with its last post, and its lines are shown again without its token', async () => {
    await panel(anna.page).getByRole('button', { name: 'Done' }).click();
    await panel(anna.page).getByText(/^Last post /).waitFor();
    assert.equal(await panel(anna.page).locator('[data-device-line]').count(), 0);
    await anna.page.screenshot({ path: join(shots, 'devices-list.png') });
    await panel(anna.page).getByRole('button', { name: 'The lines for washer' }).click();
    const again = await shownLines(anna.page);
    assert.deepEqual(Object.keys(again), ['mqtt', 'mqtts', 'http', 'https']);
    for (const [kind, line] of Object.entries(again)) {
      assert.equal(line, lines[kind].replace(lines.token, 'TOKEN'), kind);
    }
    await anna.page.screenshot({ path: join(shots, 'devices-lines-again.png') });
    await panel(anna.page).getByRole('button', { name: 'Done' }).click();
  });

  test('that cannot seal has the box do it, until somebody says otherwise', async () => {
    const plain = await addDevice(anna.page, 'boiler', { plain: true });
    for (const kind of ['mqtt', 'mqtts', 'http', 'https']) {
      assert.ok(!plain[kind].includes('age'), kind);
      await shell(plain[kind]);
    }
    await posts(anna.page, 'boiler', 4);
    const seen = anna.page.locator('main').getByText('The box saw this post', { exact: true });
    await seen.nth(3).waitFor();
    assert.equal(await seen.count(), 4);
    await panel(anna.page).getByRole('button', { name: 'Done' }).click();
    const box = panel(anna.page).getByRole('checkbox', { name: /sees them \(boiler\)/ });
    assert.equal(await box.isChecked(), true);
    await anna.page.screenshot({ path: join(shots, 'devices-plain.png') });
    const other = panel(anna.page).getByRole('checkbox', { name: /sees them \(washer\)/ });
    assert.equal(await other.isChecked(), false);
    await box.uncheck();
    await panel(anna.page).getByRole('button', { name: 'The lines for boiler' }).click();
    assert.match((await shownLines(anna.page)).mqtt, /\| age -r age1/);
    await assert.rejects(shell(plain.http), ({ stdout }) => /not_sealed/.test(stdout));
    await panel(anna.page).getByRole('button', { name: 'Done' }).click();
    await panel(anna.page).getByText(/^Refused /).waitFor();
    await panel(anna.page).getByRole('button', { name: 'Remove boiler' }).click();
    await panel(anna.page).getByRole('button', { name: 'Remove', exact: true }).click();
    await panel(anna.page).getByRole('button', { name: 'Remove boiler' }).waitFor({ state: 'detached' });
  });

  test('that is removed posts no more, by no line', async () => {
    await panel(anna.page).getByRole('button', { name: 'Remove washer' }).click();
    await panel(anna.page).getByRole('button', { name: 'Remove', exact: true }).click();
    await panel(anna.page).getByText('No device posts here yet.').waitFor();
    for (const kind of ['mqtt', 'mqtts', 'http', 'https']) {
      await assert.rejects(shell(lines[kind]), kind);
    }
  });

  test('posts to an open room in clear, by every line, from a page on a phone', async () => {
    await panel(anna.page).getByRole('button', { name: 'Close' }).click();
    await anna.page.setViewportSize(PHONE);
    await anna.page.getByRole('button', { name: 'Back', exact: true }).click();
    await anna.page.getByRole('button', { name: 'New room' }).click();
    await anna.page.getByRole('dialog').getByLabel('Name').fill('Kitchen');
    await anna.page.getByRole('dialog').getByText('The box can read it too').click();
    await anna.page.getByRole('dialog').getByRole('button', { name: 'Make the room' }).click();
    await anna.page.getByRole('main').getByRole('heading', { name: 'Kitchen' }).waitFor();
    const open = await addDevice(anna.page, 'oven');
    ({ token } = open);
    await anna.page.screenshot({ path: join(shots, 'devices-lines-phone.png') });
    for (const kind of ['mqtt', 'mqtts', 'http', 'https']) {
      assert.ok(!open[kind].includes('age'), kind);
      await shell(open[kind]);
    }
    await panel(anna.page).getByRole('button', { name: 'Back', exact: true }).click();
    await posts(anna.page, 'oven', 4);
  });

  test('of an open room that is sealed has a new line, which seals', async () => {
    await anna.page.setViewportSize(DESKTOP);
    await anna.page.getByRole('button', { name: 'Room settings' }).click();
    await panel(anna.page).getByRole('button', { name: 'Seal this room' }).click();
    await panel(anna.page).getByRole('button', { name: 'Seal it for ever' }).click();
    await anna.page.getByRole('main').getByRole('button', { name: /^Sealed/ }).waitFor();
    await anna.page.getByRole('button', { name: 'Devices', exact: true }).click();
    await panel(anna.page).getByRole('button', { name: 'The lines for oven' }).click();
    const sealed = await shownLines(anna.page);
    for (const kind of ['mqtt', 'mqtts', 'http', 'https']) {
      assert.match(sealed[kind], /^echo "Washing done" \| age -r age1\w+ \| /, kind);
    }
    await shell(sealed.http.replace('TOKEN', token));
    await posts(anna.page, 'oven', 5);
  });
});
