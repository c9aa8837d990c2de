// The heap of a page while an hour's messages arrive in the room that is open: `node scripts/heap.mjs
// [messages] [step]` prints it after a forced collection at each step, with the nodes and listeners
// of the page, once the page has drawn and indexed what came; it asserts nothing.
import { House, openChromium, person, setUp, DESKTOP } from '../../tests/browser/house.mjs';
import { fillFast, makeOpenRoom, roomOf, tokenOf } from '../../tests/browser/long_room.mjs';

/** Ten a second for an hour. */
const MESSAGES = Number(process.argv[2] ?? 36_000);
const STEP = Number(process.argv[3] ?? 6_000);
/** Frames in which nothing of the state changes before the page counts as at rest. */
const REST_FRAMES = 180;

const round = (value) => Math.round(value * 10) / 10;

/** The last message is drawn, and for three seconds nothing of the page has changed. */
async function atRest(page, last) {
  await page
    .locator('main li[data-item]')
    .filter({ hasText: last })
    .first()
    .waitFor({ timeout: 600_000 });
  await page.evaluate(async (frames) => {
    let changed = true;
    const seen = new MutationObserver(() => (changed = true));
    seen.observe(document.body, { childList: true, subtree: true, characterData: true });
    for (let still = 0; still < frames; still += 1) {
      if (changed) still = 0;
      changed = false;
      await new Promise((done) => requestAnimationFrame(done));
    }
    seen.disconnect();
  }, REST_FRAMES);
}

async function measure(cdp) {
  // What the first collection frees may hold more.
  for (let n = 0; n < 3; n += 1) await cdp.send('HeapProfiler.collectGarbage');
  const { usedSize } = await cdp.send('Runtime.getHeapUsage');
  const { metrics } = await cdp.send('Performance.getMetrics');
  const of = (wanted) => metrics.find(({ name }) => name === wanted)?.value ?? 0;
  return { heap: round(usedSize / 2 ** 20), nodes: of('Nodes'), listeners: of('JSEventListeners') };
}

const browser = await openChromium();
const house = await new House(['--limit', 'messages_per_10_s=0']).start();
try {
  const { page, context } = await person(browser, DESKTOP);
  const bearer = tokenOf(page);
  await setUp(page, house, 'anna');
  await makeOpenRoom(page, 'Kitchen');
  const room = await roomOf(house, bearer(), 'Kitchen');
  const cdp = await context.newCDPSession(page);
  await cdp.send('Performance.enable');
  for (let done = 0; done < MESSAGES; done += STEP) {
    await fillFast(house, bearer(), room, STEP, done + 1);
    await atRest(page, `note ${done + STEP}`);
    const { heap, nodes, listeners } = await measure(cdp);
    const after = `after ${done + STEP} messages`.padEnd(24);
    console.log(`${after} ${heap} MiB, ${nodes} nodes, ${listeners} listeners`);
  }
} finally {
  await browser.close();
  await house.end();
}
