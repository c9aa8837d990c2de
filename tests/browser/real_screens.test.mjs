// The screens of the real app, signed in: nothing that axe-core finds wrong in either theme, on a phone
// and a desktop; and nothing cut off, covered or wider than the window there, at 200 % zoom, at 320 pixels,
// with large text; forced colours still say everything, and nothing moves for whoever asked for that.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, openGeneral, person, reads,
  setUp, signIn, write,
} from './house.mjs';
import { settled } from '../../webclient/scripts/settled.mjs';
import { cutHints, faults, misplaced } from './sight.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

/** Whether pictures of all are taken, to be looked at: SHOTS=1. */
const PICTURES = process.env.SHOTS === '1';

const dialog = (page) => page.getByRole('dialog');
const panel = (page) => page.getByRole('complementary').last();
const tap = (page, name) => page.getByRole('button', { name }).locator('visible=true').first().click();
const row = (page, text) => page.locator('main li[data-item]').filter({ hasText: text }).first();

/** A part of the settings, by its address. */
const part = (name) => ({
  open: async (page) => {
    await page.evaluate((place) => (location.hash = place), `#/settings${name}`);
    await dialog(page).getByRole('heading').first().waitFor();
    // What the part fetches is there.
    await settled(page);
  },
  close: async (page) => {
    await dialog(page).getByRole('button', { name: 'Close' }).locator('visible=true').first().click();
    await dialog(page).waitFor({ state: 'detached' });
  },
});

const escape = async (page, what) => {
  await page.keyboard.press('Escape');
  await what(page).waitFor({ state: 'detached' });
};

/** A panel beside the room, or over it; opened by a button of the room's head. */
const beside = (button, ready = async () => undefined) => ({
  open: async (page) => {
    await tap(page, button);
    await panel(page).waitFor();
    await ready(page);
  },
  close: (page) => page.keyboard.press('Escape'),
});

/** Every screen by its name: how one gets there from the open room, and back. */
const SCREENS = {
  room: { open: async () => undefined, close: async () => undefined },
  menu: {
    open: async (page) => {
      await row(page, 'Who cooks tonight?').focus();
      await page.keyboard.press('Enter');
      await page.getByRole('menu').waitFor();
    },
    close: (page) => escape(page, (one) => one.getByRole('menu')),
  },
  thread: {
    open: async (page) => {
      await row(page, 'Who cooks tonight?').focus();
      await page.keyboard.press('t');
      await panel(page).getByText('I do, with pleasure').waitFor();
    },
    close: (page) => page.keyboard.press('Escape'),
  },
  members: beside(/^People: /, (page) => panel(page).getByText('bert').first().waitFor()),
  devices: beside('Devices', (page) => panel(page).getByText('washer').first().waitFor()),
  'room-settings': beside('Room settings'),
  readers: beside(/^Sealed/),
  search: beside('Search', async (page) => {
    await panel(page).getByRole('searchbox').fill('cooks');
    await panel(page).locator('mark').first().waitFor();
  }),
  invite: beside(/^Invite/, async (page) => {
    await tap(page, 'Make an invitation');
    await page.locator('[data-invite-link]').waitFor();
  }),
  'go-to': {
    open: async (page) => {
      await page.keyboard.press('Control+k');
      await dialog(page).waitFor();
    },
    close: (page) => escape(page, dialog),
  },
  settings: part(''),
  profile: part('/profile'),
  browsers: part('/browsers'),
  keys: part('/keys'),
  tokens: part('/tokens'),
  look: part('/look'),
  'house-people': part('/people'),
  'house-guests': part('/guests'),
  'house-invites': part('/invites'),
  'house-reports': part('/reports'),
  'house-house': part('/house'),
  'house-storage': part('/storage'),
  'house-addresses': part('/addresses'),
  'house-health': part('/health'),
  'house-log': part('/log'),
};

/** The parts of the settings, by their addresses. */
const PARTS = [
  '', '/profile', '/browsers', '/keys', '/tokens', '/look', '/people', '/guests', '/bots', '/invites',
  '/reports', '/house', '/storage', '/addresses', '/grants', '/health', '/log',
];

/** Screens of which the others show nothing new at other sizes. */
const NARROW = Object.keys(SCREENS).filter((name) => name !== 'menu');

/** Drawn, with nothing under way. */
const drawn = (page) =>
  page.evaluate(async () => {
    await document.fonts.ready;
    for (let n = 0; n < 6; n += 1) await new Promise((done) => requestAnimationFrame(done));
    await Promise.all(document.getAnimations().map(({ finished }) => finished.catch(() => null)));
  });

/** What a page moves from here on, as it says itself. */
const follow = (page) =>
  page.evaluate(() => {
    window.moved = [];
    const note = ({ target, propertyName, animationName }) => {
      const lasts = target.getAnimations().some(({ effect }) => effect.getTiming().duration > 1);
      if (lasts) window.moved.push(`${target.className || target.tagName} ${propertyName ?? animationName}`);
    };
    document.addEventListener('transitionrun', note);
    document.addEventListener('animationstart', note);
  });

/** Opens screens one after the other; what `look` finds on each, with its name. */
async function walk(page, names, look) {
  const wrong = [];
  for (const name of names) {
    await SCREENS[name].open(page);
    await drawn(page);
    for (const found of await look(name)) wrong.push(`${name}: ${found}`);
    await SCREENS[name].close(page);
    if (!(await composer(page).isVisible())) await openGeneral(page);
  }
  return wrong;
}

describe('the screens of a house that is lived in', () => {
  let browser, house, anna, bert;

  const picture = async (page, name) => {
    if (PICTURES) await page.screenshot({ path: join(shots, `real-${name}.png`) });
  };

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    anna = await person(browser, DESKTOP);
    await setUp(anna.page, house, 'anna');
    bert = await person(browser, PHONE);
    await join_(bert.page, await invite(anna.page), 'bert');
    for (const text of ['Who cooks tonight?', 'A list:\n- soup\n- `bread`\n\n> and wine', 'https://example.org/a/very/long/address/that/nobody/reads/to/its/end?and=more']) {
      await write(anna.page, text);
    }
    await reads(bert.page, 'Who cooks tonight?');
    await row(bert.page, 'Who cooks tonight?').focus();
    await bert.page.keyboard.press('r');
    await write(bert.page, 'I do, with pleasure');
    await reads(anna.page, 'I do, with pleasure');
    await tap(anna.page, 'Devices');
    await panel(anna.page).getByLabel('What is it called?').fill('washer');
    await tap(anna.page, 'Get its line');
    await panel(anna.page).locator('[data-device-line]').first().waitFor();
  });

  after(async () => {
    await browser?.close();
    await house?.end();
    for (const one of [anna, bert]) assert.deepEqual(one?.complaints, []);
  });

  /** Anna in another browser, with her room open. */
  async function come(viewport, options = {}) {
    const one = await person(browser, viewport, options);
    await signIn(one.page, house, 'anna');
    await row(one.page, 'I do, with pleasure').waitFor();
    return one;
  }

  for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`have no fault on a ${size}, in light and dark`, async () => {
      const { context, page, complaints } = await person(browser, viewport, { reducedMotion: 'reduce' });
      await page.goto(`http://${house.http}/`);
      await page.getByLabel('Your name').waitFor();
      const look = async (name) => {
        const wrong = [...(await misplaced(page))];
        for (const colorScheme of ['light', 'dark']) {
          await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
          await drawn(page);
          await picture(page, `${name}-${size}-${colorScheme}`);
          const rules = colorScheme === 'light' ? null : ['color-contrast'];
          wrong.push(...(await faults(page, rules)).map((fault) => `${colorScheme}: ${fault}`));
        }
        return wrong;
      };
      const wrong = (await look('login')).map((found) => `login: ${found}`);
      await signIn(page, house, 'anna');
      wrong.push(...(await walk(page, Object.keys(SCREENS), look)));
      assert.deepEqual([...wrong, ...complaints], []);
      await context.close();
    });
  }

  test('say in forced colours what is chosen, where bubbles end and where the keyboard is', async () => {
    const { context, page, complaints } = await come(DESKTOP, { forcedColors: 'active' });
    await row(page, 'I do, with pleasure').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('menu').locator('.emoji button').first().click();
    const mine = page.locator('main button[aria-pressed=true]').first();
    await mine.waitFor();
    const edge = (found) => found.evaluate((node) => {
      const { outlineStyle, borderTopStyle, borderTopColor, backgroundColor } = getComputedStyle(node);
      return { outlineStyle, edge: borderTopStyle === 'solid' && borderTopColor !== backgroundColor };
    });
    await page.mouse.move(0, 0);
    await composer(page).focus();
    assert.equal((await edge(mine)).outlineStyle, 'solid', 'one’s own reaction');
    const room = page.getByRole('navigation').locator('[aria-current=true]');
    assert.equal((await edge(room)).outlineStyle, 'solid', 'the room that is open');
    assert.ok((await edge(page.locator('main .bubble').first())).edge, 'a bubble');
    await picture(page, 'forced');
    for (let n = 0; n < 20; n += 1) {
      await page.keyboard.press('Tab');
      const seen = await page.evaluate(() => {
        const node = document.activeElement;
        const within = node?.closest('.composer, form, label') ?? node;
        const shown = (one) => getComputedStyle(one).outlineStyle !== 'none';
        return node === document.body || shown(node) || shown(within) ? null : node.outerHTML.slice(0, 120);
      });
      assert.equal(seen, null, 'the keyboard is seen');
    }
    assert.deepEqual(complaints, []);
    await context.close();
  });

  for (const colorScheme of ['light', 'dark']) {
    test(`have more contrast for whoever asked for that, in ${colorScheme}`, async () => {
      const options = { contrast: 'more', colorScheme, reducedMotion: 'reduce' };
      const { context, page, complaints } = await come(DESKTOP, options);
      const look = async (name) => {
        await picture(page, `${name}-contrast-${colorScheme}`);
        return faults(page, ['color-contrast-enhanced']);
      };
      const names = ['room', 'menu', 'thread', 'members', 'room-settings', 'search', 'go-to', 'look'];
      assert.deepEqual([...(await walk(page, names, look)), ...complaints], []);
      await context.close();
    });
  }

  test('move nothing for whoever asked for that', async () => {
    const moves = async (reducedMotion) => {
      const { context, page } = await come(DESKTOP, { reducedMotion });
      await follow(page);
      for (const name of ['menu', 'thread', 'members', 'go-to', 'settings']) {
        await SCREENS[name].open(page);
        await drawn(page);
        await SCREENS[name].close(page);
      }
      await page.getByRole('button', { name: 'New room' }).hover();
      await drawn(page);
      const moved = await page.evaluate(() => window.moved);
      await context.close();
      return moved;
    };
    assert.deepEqual(await moves('reduce'), []);
    assert.notEqual((await moves('no-preference')).length, 0, 'else something does move');
  });

  for (const [what, viewport, options] of [
    ['at 200 % zoom of a desktop', { width: 640, height: 400 }, { deviceScaleFactor: 2 }],
    ['at 320 pixels', { width: 320, height: 640 }, {}],
  ]) {
    test(`have room ${what}`, async () => {
      const { context, page, complaints } = await come(viewport, { ...options, reducedMotion: 'reduce' });
      const look = async (name) => {
        await picture(page, `${name}-${viewport.width}`);
        return [...(await misplaced(page)), ...(await cutHints(page))];
      };
      assert.deepEqual([...(await walk(page, NARROW, look)), ...complaints], []);
      await context.close();
    });
  }

  test('have room at 320 pixels in French, which takes more of it', async () => {
    const { context, page, complaints } = await come({ width: 320, height: 640 }, { reducedMotion: 'reduce' });
    await page.evaluate(() => localStorage.setItem('hearth.language', 'fr'));
    await page.reload();
    const field = page.getByLabel(/^Écrire à /);
    await field.waitFor();
    const wrong = [];
    const look = async (name) => {
      await drawn(page);
      await picture(page, `${name.replaceAll('/', '-')}-320-fr`);
      const found = [...(await misplaced(page)), ...(await cutHints(page))];
      wrong.push(...found.map((one) => `${name}: ${one}`));
    };
    await look('salon');
    const head = page.locator('main header button');
    for (let at = 1; at < (await head.count()); at += 1) {
      await head.nth(at).click();
      await panel(page).waitFor();
      await settled(page);
      await look(`panneau ${at}`);
      await page.keyboard.press('Escape');
      await field.waitFor();
    }
    for (const place of PARTS) {
      await part(place).open(page);
      await look(`réglages${place}`);
      await page.keyboard.press('Escape');
      await dialog(page).waitFor({ state: 'detached' });
    }
    assert.deepEqual([...wrong, ...complaints], []);
    await context.close();
  });
});
