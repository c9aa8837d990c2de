// Every hostile text of the corpus, sent by one person and read by another in the real page: nothing of
// it runs, nothing is loaded from elsewhere, and the page's policy refuses both by itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { House, composer, invite, join_, openChromium, person, reads, setUp, write } from './house.mjs';

const CORPUS = JSON.parse(readFileSync(new URL('hostile_texts.json', import.meta.url), 'utf8'));

describe('hostile texts', () => {
  let browser, house, anna, bert;
  const elsewhere = [];
  const ran = [];

  before(async () => {
    browser = await openChromium();
    house = await new House(['--limit', 'messages_per_10_s=0']).start();
    [anna, bert] = [await person(browser), await person(browser)];
    await setUp(anna.page, house, 'anna');
    await join_(bert.page, await invite(anna.page), 'bert');
    for (const { page } of [anna, bert]) {
      page.on('dialog', (dialog) => {
        ran.push(dialog.message());
        return dialog.dismiss();
      });
      page.on('request', (request) => {
        const { protocol, host } = new URL(request.url());
        if (protocol.startsWith('http') && host !== house.http) elsewhere.push(request.url());
      });
    }
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('are shown as words and honest links, and nothing of them runs or loads', async () => {
    for (const [n, text] of CORPUS.entries()) {
      await composer(anna.page).fill(`${n}: ${text}`);
      await anna.page.keyboard.press('Enter');
    }
    // A text at the beginning of a message is another block for Markdown than one within.
    for (const text of CORPUS.filter((one) => !one.startsWith('/'))) {
      await composer(anna.page).fill(text);
      await anna.page.keyboard.press('Enter');
    }
    await write(anna.page, 'that was all');
    await reads(bert.page, 'that was all');
    for (let seen = 0, turn = 0; turn < 60; turn += 1) {
      const found = await bert.page.evaluate(() => {
        const main = document.querySelector('main');
        const links = [...main.querySelectorAll('a')];
        const region = main.querySelector('[role=region]');
        region.scrollTop -= region.clientHeight / 2;
        return {
          odd: main.querySelectorAll(
            'script, style, iframe, object, embed, base, meta, form form, video, audio, math, template, noscript',
          ).length,
          pictures: main.querySelectorAll('li[data-item] img').length,
          dishonest: links
            .map((link) => link.getAttribute('href'))
            .filter((href) => !/^(https?:\/\/[^/]|mailto:)/.test(href ?? '')),
          handlers: [...main.querySelectorAll('*')].flatMap((node) =>
            node.getAttributeNames().filter((name) => name.startsWith('on'))),
          top: region.scrollTop,
        };
      });
      assert.deepEqual({ ...found, top: 0 }, { odd: 0, pictures: 0, dishonest: [], handlers: [], top: 0 });
      if (found.top === 0 && (seen += 1) > 3) break;
      await bert.page.evaluate(() => new Promise((done) => requestAnimationFrame(done)));
    }
    assert.deepEqual([ran, elsewhere], [[], []]);
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });

  test('would not run or load even as HTML: the policy refuses it', async () => {
    const refused = await bert.page.evaluate(async (texts) => {
      const directives = new Set();
      document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
        directives.add(effectiveDirective));
      window.alert = () => (window.ran = true);
      const place = document.createElement('div');
      document.body.append(place);
      for (const text of texts) place.innerHTML = text;
      const script = document.createElement('script');
      script.textContent = 'window.ran = true';
      const far = document.createElement('script');
      far.src = 'https://evil.example/x.js';
      const picture = new Image();
      picture.src = 'https://evil.example/x.png';
      place.append(script, far, picture);
      await fetch('https://evil.example/').catch(() => null);
      for (let n = 0; n < 20; n += 1) await new Promise((done) => requestAnimationFrame(done));
      place.remove();
      return { ran: window.ran === true, directives: [...directives] };
    }, CORPUS.filter((text) => !text.includes('http-equiv')));
    assert.equal(refused.ran, false);
    for (const one of ['script-src-attr', 'script-src-elem', 'img-src', 'connect-src']) {
      assert.ok(refused.directives.includes(one), `${one} of ${refused.directives}`);
    }
    assert.deepEqual(ran, []);
  });
});
