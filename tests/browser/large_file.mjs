// What sending and opening a file of 10 MB costs the page, the CPU throttled four times:
//   node tests/browser/large_file.mjs
// Prints medians of three: the longest task and the longest gap between frames on the page's thread,
// and how long it takes, for the sender and for whoever opens it.
import { House, composer, invite, join_, openChromium, person, setUp } from './house.mjs';

const ROUNDS = 3;
const BYTES = 10 * 1024 * 1024;

/** Watches the page's thread until asked. */
const watch = (page) =>
  page.evaluate(() => {
    const seen = { tasks: [], last: performance.now(), gap: 0, on: true };
    new PerformanceObserver((list) =>
      seen.tasks.push(...list.getEntries().map(({ duration }) => duration))).observe({ entryTypes: ['longtask'] });
    const frame = (now) => {
      seen.gap = Math.max(seen.gap, now - seen.last);
      seen.last = now;
      if (seen.on) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
    globalThis.watched = seen;
  });

const watched = (page) =>
  page.evaluate(() => {
    const { tasks, gap } = globalThis.watched;
    globalThis.watched.on = false;
    return { task: Math.max(0, ...tasks), gap };
  });

async function throttled(page, rate) {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Emulation.setCPUThrottlingRate', { rate });
}

const median = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];

/** Puts a file into the page's own memory and chooses it there: nothing of it comes from here. */
const choose = (page, bytes) =>
  page.evaluate((size) => {
    const data = new DataTransfer();
    const noise = new Uint8Array(size);
    for (let at = 0; at < size; at += 65_536) {
      crypto.getRandomValues(noise.subarray(at, at + 65_536));
    }
    data.items.add(new File([noise], 'film.bin'));
    globalThis.chosen = data.files;
  }, bytes).then(() =>
    page.evaluate(() => {
      const input = document.querySelector('input[type=file]');
      input.files = globalThis.chosen;
      input.dispatchEvent(new Event('change', { bubbles: true }));
    }));

const browser = await openChromium();
const house = await new House().start();
try {
  const anna = await person(browser);
  const bert = await person(browser);
  await setUp(anna.page, house, 'anna');
  await join_(bert.page, await invite(anna.page), 'bert');
  const figures = { sent: [], sendTask: [], sendGap: [], opened: [], openTask: [], openGap: [] };
  for (let round = 1; round <= ROUNDS; round += 1) {
    await throttled(anna.page, 4);
    await watch(anna.page);
    let began = performance.now();
    await choose(anna.page, BYTES);
    await anna.page.getByRole('list', { name: 'Files to send' }).getByText(/^10 MB/).waitFor();
    await composer(anna.page).fill(`film ${round}`);
    await anna.page.keyboard.press('Enter');
    const row = anna.page.locator('li[data-item]').filter({ hasText: `film ${round}` });
    await row.locator('[data-delivery=stored], [data-delivery=delivered], [data-delivery=read]')
      .first().waitFor({ timeout: 120_000 });
    figures.sent.push(performance.now() - began);
    const sending = await watched(anna.page);
    figures.sendTask.push(sending.task);
    figures.sendGap.push(sending.gap);
    await throttled(anna.page, 1);

    await bert.page.locator('li[data-item]').filter({ hasText: `film ${round}` }).waitFor();
    await throttled(bert.page, 4);
    await watch(bert.page);
    began = performance.now();
    const [download] = await Promise.all([
      bert.page.waitForEvent('download'),
      bert.page.getByRole('button', { name: /Download film/ }).last().click(),
    ]);
    await download.path();
    figures.opened.push(performance.now() - began);
    const opening = await watched(bert.page);
    figures.openTask.push(opening.task);
    figures.openGap.push(opening.gap);
    await throttled(bert.page, 1);
  }
  for (const [name, all] of Object.entries(figures)) {
    console.log(`${name.padEnd(9)} ${Math.round(median(all))} ms   (${all.map(Math.round).join(', ')})`);
  }
} finally {
  await browser.close();
  await house.end();
}
