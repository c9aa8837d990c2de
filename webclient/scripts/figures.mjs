// Figures of a long room in Chromium: bytes of the first load, login, opening, typing, scrolling.
// `node scripts/figures.mjs [messages]`: messages in the room. Prints medians of three where it says
// so, beside the same of an empty page; it asserts nothing. `scripts/heap.mjs` has the heap.
import {
  House,
  openChromium,
  person,
  setUp,
  signIn,
  write,
  DESKTOP,
  PASSWORD,
} from '../../tests/browser/house.mjs';
import { fillFast, makeOpenRoom, post, roomOf, tokenOf } from '../../tests/browser/long_room.mjs';

const MESSAGES = Number(process.argv[2] ?? 10_000);

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const share = (values, part) => values.toSorted((a, b) => a - b)[Math.floor(values.length * part)];
const round = (value) => Math.round(value * 10) / 10;
const say = (what, value) => console.log(`${what.padEnd(64)} ${value}`);

/** Bytes of JavaScript as received until the login form can be typed into. */
async function firstLoad(browser, house) {
  const { context, page } = await person(browser, DESKTOP);
  const cdp = await context.newCDPSession(page);
  await cdp.send('Network.enable');
  const scripts = new Map();
  let bytes = 0;
  let all = 0;
  cdp.on('Network.responseReceived', ({ requestId, response, type }) =>
    scripts.set(requestId, type === 'Script' || response.mimeType.includes('javascript')),
  );
  cdp.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    all += encodedDataLength;
    if (scripts.get(requestId)) bytes += encodedDataLength;
  });
  await page.goto(`http://${house.http}/`);
  await page.getByLabel('Your name').waitFor();
  const before = bytes;
  await page.getByLabel('Your name').fill('anna');
  await page.waitForLoadState('networkidle');
  say('JavaScript until the login form can be typed into, KiB', round(before / 1024));
  say('everything the first screen loads, KiB', round(all / 1024));
  await context.close();
}

/**
 * Milliseconds from the tap on "Sign in" in a browser that knows nothing yet to the sealed room's last
 * message, and those in which an empty page loads; the page's thread throttled four times.
 */
async function loggingIn(browser, house, last) {
  const taken = [];
  const beside = [];
  for (let n = 0; n < 3; n += 1) {
    const { context, page } = await person(browser, DESKTOP);
    const cdp = await context.newCDPSession(page);
    await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 });
    const began = performance.now();
    await page.goto(`http://${house.http}/favicon.svg`);
    beside.push(performance.now() - began);
    await page.goto(`http://${house.http}/`);
    await page.getByLabel('Your name').fill('anna');
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    taken.push(
      await page.evaluate(async (text) => {
        const from = performance.now();
        document.querySelector('form').requestSubmit();
        const shown = () =>
          [...document.querySelectorAll('main li[data-item]')].some((row) =>
            row.textContent.includes(text),
          );
        while (!shown()) await new Promise((done) => requestAnimationFrame(done));
        await new Promise((done) => requestAnimationFrame(done));
        return performance.now() - from;
      }, last),
    );
    await context.close();
  }
  return [median(taken), median(beside)];
}

/** Milliseconds from a tap on the room to its newest message drawn. */
async function opening(page) {
  const times = [];
  for (let n = 0; n < 3; n += 1) {
    await page.getByRole('navigation').getByText('General').first().click();
    await page.getByRole('heading', { name: 'General' }).waitFor();
    times.push(
      await page.evaluate(async (last) => {
        const rows = [...document.querySelectorAll('nav button')];
        const room = rows.find((row) => row.textContent.includes('Kitchen'));
        const from = performance.now();
        room.click();
        const shown = () =>
          [...document.querySelectorAll('main li[data-item]')].some((row) =>
            row.textContent.includes(last),
          );
        while (!shown()) await new Promise((done) => requestAnimationFrame(done));
        await new Promise((done) => requestAnimationFrame(done));
        return performance.now() - from;
      }, `note ${MESSAGES}`),
    );
  }
  return median(times);
}

/** Milliseconds between frames while `run` works. */
const frames = (page, ms, step) =>
  page.evaluate(
    async ([until, by]) => {
      const region = document.querySelector('main [role=region]');
      const gaps = [];
      let last = performance.now();
      const end = last + until;
      while (last < end) {
        if (region !== null) region.scrollTop -= by;
        await new Promise((done) => requestAnimationFrame(done));
        const now = performance.now();
        gaps.push(now - last);
        last = now;
      }
      return gaps;
    },
    [ms, step],
  );

/** Follows keys on a page: milliseconds to the next frame, and tasks over 50 ms. */
const followKeys = (page) =>
  page.evaluate(() => {
    const before = window.taken;
    window.taken = { frame: [], long: 0 };
    if (before !== undefined) return;
    document.addEventListener(
      'keydown',
      () => {
        const began = performance.now();
        requestAnimationFrame(() =>
          setTimeout(() => window.taken.frame.push(performance.now() - began)),
        );
      },
      { capture: true },
    );
    new PerformanceObserver((list) => (window.taken.long += list.getEntries().length)).observe({
      type: 'longtask',
    });
  });

async function typeInto(page) {
  for (let n = 0; n < 150; n += 1) {
    await page.keyboard.type('a');
    await new Promise((done) => setTimeout(done, 40));
  }
  return page.evaluate(() => window.taken);
}

/** The keys in a text field on an empty page; the median of three runs of their median, and of their p95. */
async function typingBeside(context) {
  const page = await context.newPage();
  await page.setContent('<textarea></textarea>');
  await page.locator('textarea').focus();
  const runs = [];
  for (let n = 0; n < 3; n += 1) {
    await followKeys(page);
    runs.push(await typeInto(page));
  }
  await page.close();
  return runs;
}

/** The keys in the composer while ten messages a second arrive. */
async function typing(page, house, token, room) {
  await page.getByLabel(/^Write to /).focus();
  let on = true;
  const arriving = (async () => {
    for (let n = 0; on; n += 1) {
      const from = performance.now();
      await post(house, token, room, `arriving ${n}`);
      await new Promise((done) => setTimeout(done, Math.max(0, 100 - (performance.now() - from))));
    }
  })();
  const runs = [];
  for (let n = 0; n < 3; n += 1) {
    await followKeys(page);
    runs.push(await typeInto(page));
  }
  on = false;
  await arriving;
  return runs;
}

/** Three runs beside an empty page, in a browser that waits for the display's frames or does not. */
async function typingBoth({ page, context }, house, token, room, how) {
  const each = (runs, of) => round(median(runs.map(({ frame }) => of(frame))));
  const both = (runs) => `${each(runs, median)}, ${each(runs, (of) => share(of, 0.95))}`;
  say(`key to frame, empty page, ${how}, ms: median, p95`, both(await typingBeside(context)));
  await page.bringToFront();
  const runs = await typing(page, house, token, room);
  say(`key to frame while 10/s arrive, ${how}, ms: median, p95`, both(runs));
  say(
    'tasks over 50 ms meanwhile',
    runs.reduce((sum, { long }) => sum + long, 0),
  );
}

const browser = await openChromium();
const house = await new House(['--limit', 'messages_per_10_s=0']).start();
try {
  const anna = await person(browser, DESKTOP);
  const { page, context } = anna;
  const bearer = tokenOf(page);
  await setUp(page, house, 'anna');
  await write(page, 'hello');
  await firstLoad(browser, house);
  const [login, empty4] = await loggingIn(browser, house, 'hello');
  say('login to a readable sealed room, 4× throttled, ms (median of 3)', round(login));
  say('a small file in the place of the page, the same, ms', round(empty4));
  await makeOpenRoom(page, 'Kitchen');
  const room = await roomOf(house, bearer(), 'Kitchen');
  await fillFast(house, bearer(), room, MESSAGES);
  await page.getByText(`note ${MESSAGES}`).last().waitFor({ timeout: 120_000 });
  say(`opening a room of ${MESSAGES} messages, ms (median of 3)`, round(await opening(page)));

  const empty = await context.newPage();
  await empty.goto('about:blank');
  const idle = await frames(empty, 3_000, 0);
  say(
    'frame of an empty page, ms: median, longest',
    `${round(median(idle))}, ${round(Math.max(...idle))}`,
  );
  await empty.close();
  await page.bringToFront();
  const scrolled = await frames(page, 15_000, 250);
  const over = scrolled.filter((gap) => gap > 50).length;
  say(
    'frame while scrolling up, ms: median, p99, longest',
    `${round(median(scrolled))}, ${round(share(scrolled, 0.99))}, ${round(Math.max(...scrolled))}`,
  );
  say('frames over 50 ms of all', `${over} of ${scrolled.length}`);
  await page.reload();
  await page.getByText(`note ${MESSAGES}`).last().waitFor();
  await typingBoth(anna, house, bearer(), room, '60 a second');
  // The frame that comes at once: what is left of a key's way is what the page does.
  const unpaced = await openChromium('--disable-frame-rate-limit', '--disable-gpu-vsync');
  try {
    const again = await person(unpaced, DESKTOP);
    await signIn(again.page, house, 'anna');
    await again.page.getByRole('navigation').getByText('Kitchen').first().click();
    await again.page
      .getByText(/^arriving/)
      .last()
      .waitFor();
    await typingBoth(again, house, bearer(), room, 'at once');
  } finally {
    await unpaced.close();
  }
} finally {
  await browser.close();
  await house.end();
}
