// A house for journeys: the real binary on free ports, and Chromium with one fresh person a context.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, statSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';
import { follow } from '../../webclient/scripts/settled.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { chromium } = createRequire(join(root, 'webclient/package.json'))('playwright-core');

export const PHONE = { width: 390, height: 844 };
export const DESKTOP = { width: 1280, height: 800 };
export const PASSWORD = 'a long walk in the rain';
/** How long anything is waited for: a busy machine takes its time for a password or a picture. */
export const PATIENCE_MS = 60_000;

/** The binary that `cargo build -p hearth-gateway` makes. */
export function binary() {
  const path = process.env.HEARTH_BIN ?? join(root, 'target/debug/hearth');
  if (!existsSync(path)) throw new Error(`${path}: run cargo build -p hearth-gateway first`);
  return path;
}

export class House {
  /** `more`: arguments of `serve` beside the addresses. */
  constructor(more = []) {
    this.more = more;
    this.folder = mkdtempSync(join(tmpdir(), 'hearth-journey-'));
    this.data = join(this.folder, 'data');
    this.log = join(this.folder, 'log');
    this.http = '127.0.0.1:0';
    this.mqtt = '127.0.0.1:0';
  }

  /** Starts it, and again after a kill on the same ports. */
  async start() {
    const args = ['--data', this.data, 'serve', '--http', this.http, '--mqtt', this.mqtt];
    args.push(...this.more);
    const log = openSync(this.log, 'a');
    this.child = spawn(binary(), args, { stdio: ['ignore', 'pipe', log] });
    this.ended = new Promise((resolve) => this.child.once('exit', resolve));
    for await (const line of createInterface({ input: this.child.stdout })) {
      this.http = /on http:\/\/(\S+)/.exec(line)?.[1] ?? this.http;
      const mqtt = /^and on (\S+)/.exec(line)?.[1];
      if (mqtt !== undefined) {
        this.mqtt = mqtt;
        // The set-up link follows when there is one; a house that is set up prints nothing more.
        const { needed } = await (await fetch(`http://${this.http}/api/setup`)).json();
        if (!needed) break;
      }
      if (line.includes('/setup#')) {
        this.setup = line.trim();
        break;
      }
    }
    this.child.stdout.resume();
    return this;
  }

  /** SIGKILL, at whatever moment. */
  async kill() {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async end() {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

export async function openChromium(...more) {
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  args.push('--disable-background-networking', '--disable-component-update', '--disable-sync');
  return chromium.launch({ executablePath, args: [...args, ...more] });
}

/**
 * What Chromium itself says where a box was killed or a wire cut, before or in the middle of an answer
 * (net_error_list.h, its range of connections, and the two of a body that ends early). What a page
 * must not ask for (`ERR_BLOCKED_BY_CSP`, `ERR_FAILED`) stays a complaint.
 */
const CUT = new RegExp(
  'ERR_(CONNECTION|EMPTY|INTERNET_DISCONNECTED|SOCKET_NOT_CONNECTED|NETWORK_CHANGED|TIMED_OUT' +
    '|CONTENT_LENGTH_MISMATCH|INCOMPLETE_CHUNKED)' +
    '|WebSocket (connection|is already in CLOSING)',
);

/** A new browser of somebody; complaints of its console fail the journey at the end. */
export async function person(browser, viewport = DESKTOP, options = {}) {
  const context = await browser.newContext({ viewport, locale: 'en-GB', ...options });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  follow(page);
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (line) => {
    const expected = CUT.test(line.text()) || /status of 4\d\d/.test(line.text());
    if (line.type() === 'error' && !expected) complaints.push(line.text());
  });
  return { context, page, complaints };
}

/** Step 2 of the main job: the first person makes the house. Returns the recovery code. */
export async function setUp(page, house, name) {
  await page.goto(house.setup);
  await page.getByLabel('Name of the house').fill('The Lindens');
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Your name').fill(name);
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Open the house' }).click();
  return keepSheet(page);
}

export async function keepSheet(page) {
  const code = (await page.locator('.identity').innerText()).replace(/\s/g, '');
  await page.getByRole('button', { name: 'I have printed or saved it' }).click();
  await composer(page).waitFor();
  return code;
}

/** Step 3: an invite as a link. */
export async function invite(page) {
  await page.getByRole('button', { name: /^Invite/ }).first().click();
  await page.getByRole('button', { name: 'Make an invitation' }).click();
  const link = await page.locator('[data-invite-link]').innerText();
  await page.keyboard.press('Escape');
  return link;
}

export async function join_(page, link, name) {
  await page.goto(link);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Come in' }).click();
  return keepSheet(page);
}

export async function signIn(page, house, name) {
  await page.goto(`http://${house.http}/`);
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await openGeneral(page);
}

/** The general room, from wherever the app begins: a phone shows the rooms first. */
export async function openGeneral(page) {
  const general = page.getByRole('navigation').getByText('General').first();
  await composer(page).or(general).first().waitFor();
  if (!(await composer(page).isVisible())) await general.click();
  await composer(page).waitFor();
}

export const composer = (page) => page.getByLabel(/^Write to /);

export async function write(page, text) {
  await composer(page).fill(text);
  await page.keyboard.press('Enter');
}

/** A box that was away is tried again after a minute at the latest (webclient/src/session/clock.ts). */
export const BACK_AGAIN = { timeout: 90_000 };

/** Waits until a text stands in the timeline, once. */
export async function reads(page, text, patience = {}) {
  const found = page.locator('main').getByText(text, { exact: true });
  await found.first().waitFor(patience);
  const times = await found.count();
  if (times !== 1) throw new Error(`"${text}" is shown ${times} times`);
}

/** Chooses one of a few: it is chosen once the box has it, and may be shown otherwise until then. */
export async function choose(page, radio) {
  await radio.click();
  await radio.and(page.locator(':checked')).waitFor();
}

/** Asks again and again, until the answer is the one that is waited for. */
export async function until(ask, wanted, patienceMs = PATIENCE_MS) {
  const end = Date.now() + patienceMs;
  let answer = await ask();
  while (!isDeepStrictEqual(answer, wanted) && Date.now() < end) answer = await ask();
  assert.deepEqual(answer, wanted);
}

/** Everything that lies in a folder of a box that is running: what goes meanwhile is not there. */
export function everythingOnDisk(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    try {
      const is = statSync(path);
      if (is.isDirectory()) return everythingOnDisk(path);
      return is.isFile() ? [readFileSync(path)] : [];
    } catch (error) {
      if (error.code === 'ENOENT') return [];
      throw error;
    }
  });
}
