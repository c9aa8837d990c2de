// The wire between a browser and the box is cut in the middle of sending and of scrolling, and the box is
// killed in the middle: everything arrives once, in its order, and nothing has to be written again.
import assert from 'node:assert/strict';
import { createServer, connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import {
  BACK_AGAIN, DESKTOP, House, composer, invite, join_, openChromium, openGeneral, person, reads, setUp,
  signIn, until, write,
} from './house.mjs';
import { fill, makeOpenRoom, roomOf, tokenOf } from './long_room.mjs';

/** A wire to the house that can be cut. */
class Wire {
  #pairs = new Set();
  #open = true;
  #answers = true;

  constructor(house) {
    this.server = createServer((near) => {
      if (!this.#open) return near.destroy();
      const [host, port] = house.http.split(':');
      const far = connect(Number(port), host);
      const pair = [near, far];
      this.#pairs.add(pair);
      const end = () => {
        for (const socket of pair) socket.destroy();
        this.#pairs.delete(pair);
      };
      for (const socket of pair) socket.on('error', end).on('close', end);
      near.on('data', (bytes) => far.write(bytes));
      far.on('data', (bytes) => {
        if (this.#answers) near.write(bytes);
      });
    });
  }

  async start() {
    await new Promise((done) => this.server.listen(0, '127.0.0.1', done));
    this.http = `127.0.0.1:${this.server.address().port}`;
    return this;
  }

  cut() {
    this.#open = false;
    for (const pair of this.#pairs) for (const socket of pair) socket.destroy();
  }

  /** What the page says goes through; what the box answers is lost. */
  loseAnswers() {
    this.#answers = false;
  }

  mend() {
    this.#open = true;
    this.#answers = true;
  }

  end() {
    this.cut();
    return new Promise((done) => this.server.close(done));
  }
}

const rows = (page, text) => page.locator('main li[data-item]').filter({ hasText: text });

/** What a page shows of texts that begin with a word, in its order. */
const shown = async (page, word) => {
  const found = await rows(page, new RegExp(`${word} \\d`)).allInnerTexts();
  return found.map((text) => new RegExp(`${word} \\d+`).exec(text)?.[0]);
};

/** Waits until a page shows exactly these. */
async function showsAll(page, word, words) {
  await rows(page, words.at(-1)).waitFor(BACK_AGAIN);
  await until(() => shown(page, word), words);
}

/** Where a room's history ends, as the box says. */
async function headOf(house, token, room) {
  const headers = { authorization: token };
  const answer = await fetch(`http://${house.http}/api/rooms/${room}/messages?limit=1`, { headers });
  return (await answer.json()).head_position;
}

/** What a page keeps of what is on its way. */
const kept = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const opening = indexedDB.open('hearth');
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const asked = opening.result.transaction('outbox').objectStore('outbox').getAllKeys();
          asked.onsuccess = () => {
            opening.result.close();
            resolve(asked.result.filter((key) => key.startsWith('entry/')));
          };
        };
      }),
  );

const series = (word, count) => Array.from({ length: count }, (_, n) => `${word} ${n + 1}`);

describe('a wire that is cut', () => {
  let browser, house, wire, anna, bert, bearer;

  before(async () => {
    browser = await openChromium();
    house = await new House(['--limit', 'messages_per_10_s=0']).start();
    wire = await new Wire(house).start();
    [anna, bert] = [await person(browser), await person(browser)];
    bearer = tokenOf(anna.page);
    await setUp(anna.page, { setup: house.setup.replace(house.http, wire.http) }, 'anna');
    const link = await invite(anna.page);
    await join_(bert.page, link.replace(wire.http, house.http), 'bert');
    await write(bert.page, 'hello');
    await reads(anna.page, 'hello');
    // From here on the page starts without the box.
    await anna.page.waitForFunction(
      () => navigator.serviceWorker?.controller?.state === 'activated',
    );
  });

  after(async () => {
    await browser?.close();
    await wire?.end();
    await house?.end();
  });

  test('while messages go out: those that had arrived are not sent twice', async () => {
    const words = series('cut', 12);
    for (const [n, text] of words.entries()) {
      await write(anna.page, text);
      if (n === 5) wire.cut();
    }
    await anna.page.getByText(/will go out/).waitFor();
    wire.mend();
    for (const { page } of [bert, anna]) await showsAll(page, 'cut', words);
    await anna.page.getByText(/will go out/).waitFor({ state: 'detached' });
  });

  test('when the answers were lost before, and the page is loaded anew', async () => {
    const general = await roomOf(house, bearer(), 'General');
    const before = await headOf(house, bearer(), general);
    const words = series('lost', 8);
    for (const [n, text] of words.entries()) {
      if (n === 4) {
        // Those before it have been answered.
        await until(() => kept(anna.page), []);
        wire.loseAnswers();
      }
      await write(anna.page, text);
    }
    await rows(anna.page, 'lost 8').waitFor();
    // The fifth lies on the box, and the page does not know.
    await until(() => headOf(house, bearer(), general), before + 5);
    wire.cut();
    await anna.page.reload();
    await openGeneral(anna.page);
    await anna.page.getByText(/will go out/).waitFor();
    wire.mend();
    for (const { page } of [bert, anna]) await showsAll(page, 'lost', words);
    await anna.page.getByText(/will go out/).waitFor({ state: 'detached' });
    // Nothing is left to be sent once more.
    await until(() => kept(anna.page), []);
    await anna.page.locator('[data-delivery=queued]').waitFor({ state: 'detached' });
    await anna.page.reload();
    await openGeneral(anna.page);
    await showsAll(anna.page, 'lost', words);
    for (const { page } of [bert, anna]) {
      assert.equal(await page.locator('main').getByText(/missing/).count(), 0);
    }
  });

  test('while the box is killed in the middle', async () => {
    const words = series('kill', 12);
    for (const [n, text] of words.entries()) {
      await write(anna.page, text);
      if (n === 5) await house.kill();
    }
    await anna.page.getByText(/will go out/).waitFor();
    await house.start();
    for (const { page } of [bert, anna]) await showsAll(page, 'kill', words);
    await anna.page.getByText(/will go out/).waitFor({ state: 'detached' });
  });

  test('while one scrolls up: what is here is read, the rest comes with the network', async () => {
    const { page } = anna;
    await makeOpenRoom(page, 'Attic');
    await fill(house, bearer(), await roomOf(house, bearer(), 'Attic'), 900);
    await rows(page, /note 900/).first().waitFor();
    wire.cut();
    const region = page.locator('main [role=region]').first();
    const top = () => region.evaluate((box) => (box.scrollTop -= box.clientHeight));
    for (let n = 0; n < 60; n += 1) await top();
    await page.getByText(/^The box does not answer|^Waiting for the network/).first().waitFor();
    wire.mend();
    const oldest = rows(page, /note 1\n|note 1$/).first();
    const seen = async () => {
      await top();
      return oldest.isVisible();
    };
    await until(seen, true, BACK_AGAIN.timeout);
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });

  test('a page that failed comes with the network, though nobody asks for it again', async () => {
    await makeOpenRoom(anna.page, 'Cellar');
    await fill(house, bearer(), await roomOf(house, bearer(), 'Cellar'), 200);
    const { page, context } = await person(browser, DESKTOP);
    let away = true;
    await page.route(/\/messages\?.*before=/, (route) =>
      away ? route.abort('connectionfailed') : route.continue(),
    );
    await signIn(page, wire, 'anna');
    await page.getByRole('navigation').getByText('Cellar').first().click();
    await rows(page, /note 200/).first().waitFor();
    const region = page.locator('main [role=region]').first();
    const oldestHere = rows(page, /note 151/).first();
    const seen = async () => {
      await region.evaluate((box) => (box.scrollTop -= box.clientHeight));
      return oldestHere.isVisible();
    };
    await until(seen, true, BACK_AGAIN.timeout);
    wire.cut();
    await page.getByText(/^The box does not answer|^Waiting for the network/).first().waitFor();
    away = false;
    wire.mend();
    await page.getByText(/^The box does not answer|^Waiting for the network/).first()
      .waitFor({ state: 'detached', ...BACK_AGAIN });
    await rows(page, /note 150/).first().waitFor({ state: 'attached' });
    await context.close();
  });
});
