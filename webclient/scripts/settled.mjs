// When a page has come to rest: what it fetches is here, and drawn. For pictures and for looking at screens.

/** What a page fetches: how often it began, and what is under way. */
const fetching = new WeakMap();

/** Notes from here on what a page fetches; Playwright's `networkidle` comes once a document only. */
export function follow(page) {
  const seen = { begun: 0, underWay: new Set() };
  fetching.set(page, seen);
  page.on('request', (request) => {
    seen.begun += 1;
    seen.underWay.add(request);
  });
  for (const end of ['requestfinished', 'requestfailed']) {
    page.on(end, (request) => seen.underWay.delete(request));
  }
}

const SETTLES_MS = 60_000;

/** Nothing is being fetched or loaded, no font is missing, and a few frames were drawn since. */
export async function settled(page) {
  const seen = fetching.get(page);
  const end = Date.now() + SETTLES_MS;
  for (let begun = -1; begun !== seen.begun || seen.underWay.size > 0;) {
    if (Date.now() > end) {
      throw new Error(`still fetched: ${[...seen.underWay].map((request) => request.url())}`);
    }
    begun = seen.begun;
    await page.evaluate(async () => {
      await document.fonts.ready;
      const frame = () => new Promise((done) => requestAnimationFrame(done));
      // Older messages come a moment later: the frames are counted from then on.
      const loads = () => document.querySelector('.edge:disabled') !== null;
      for (let n = 0; n < 6; n = loads() ? 0 : n + 1) await frame();
    });
  }
}
