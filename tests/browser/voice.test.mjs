// Voice messages in Chromium with a microphone of its own: recorded, listened to, sent, played; by
// keyboard; without a microphone the words for it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import {
  DESKTOP, House, PHONE, composer, invite, join_, openChromium, person, setUp,
} from './house.mjs';

const shots = new URL('output/', import.meta.url).pathname;
mkdirSync(shots, { recursive: true });

const FAKE = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream'];
const ALLOWED = { permissions: ['microphone'] };

const record = (page) => page.getByRole('button', { name: 'Record a voice message' });
const toolbar = (page) => page.getByRole('toolbar', { name: 'Recording' });
const voices = (page) => page.locator('li[data-item] .voice');
/** At least so many seconds; more where the machine was slow. */
const seconds = (page, n) =>
  toolbar(page).getByText(new RegExp(`^0:(0[${n}-9]|[1-5]\\d)$`)).waitFor();

for (const [size, viewport] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
  describe(`voice messages on a ${size}`, () => {
    let browser, house, anna, bert;

    before(async () => {
      browser = await openChromium(...FAKE);
      house = await new House().start();
      anna = await person(browser, viewport, ALLOWED);
      bert = await person(browser, viewport);
      await setUp(anna.page, house, 'anna');
      await join_(bert.page, await invite(anna.page), 'bert');
    });

    after(async () => {
      await browser?.close();
      await house?.end();
    });

    test('one is recorded, listened to, and sent', async () => {
      const { page } = anna;
      await record(page).click();
      await seconds(page, 2);
      await page.screenshot({ path: join(shots, `voice-recording-${size}.png`) });
      await toolbar(page).getByRole('button', { name: 'Stop and listen' }).click();
      // It plays for some seconds only: whoever waits for that looks already.
      await Promise.all([
        toolbar(page).getByRole('button', { name: 'Pause' }).waitFor(),
        toolbar(page).getByRole('button', { name: 'Play' }).click(),
      ]);
      await toolbar(page).getByRole('button', { name: 'Send the voice message' }).click();
      await voices(bert.page).waitFor();
      assert.equal(await composer(page).evaluate((field) => document.activeElement === field), true);
      const bars = await voices(bert.page).locator('rect').count();
      assert.ok(bars > 10 && bars <= 64, `${bars} bars`);
    });

    test('the other plays it, goes to a place in it, and makes it faster', async () => {
      const voice = voices(bert.page);
      await Promise.all([
        voice.getByRole('button', { name: /^Pause/ }).waitFor(),
        bert.page.waitForFunction(
          () => (document.querySelector('.voice audio')?.currentTime ?? 0) > 0.2),
        voice.getByRole('button', { name: /^Play: Voice message, 0:(0[2-9]|[1-5]\d)$/ }).click(),
      ]);
      await bert.page.screenshot({ path: join(shots, `voice-playing-${size}.png`) });
      await voice.getByRole('button', { name: 'Speed 1×' }).click();
      const rate = () => voice.locator('audio').evaluate((audio) => audio.playbackRate);
      assert.equal(await rate(), 1.5);
      // It ends by itself and stands at its beginning again.
      await voice.getByRole('button', { name: /^Play/ }).waitFor();
      await voice.getByRole('slider').focus();
      for (let n = 0; n < 10; n += 1) await bert.page.keyboard.press('ArrowRight');
      const at = await voice.locator('audio').evaluate((audio) => audio.currentTime);
      assert.ok(at > 0.3, `${at} s`);
      await bert.page.getByRole('navigation').getByText('Voice message').or(voice).first().waitFor();
    });

    test('one is thrown away, by keyboard, and the microphone is free', async () => {
      const { page } = anna;
      await record(page).focus();
      await page.keyboard.press('Enter');
      await seconds(page, 1);
      await page.keyboard.press('Escape');
      await toolbar(page).waitFor({ state: 'detached' });
      await composer(page).waitFor();
      assert.equal(await voices(page).count(), 1);
    });

    test('no page complained', () => {
      assert.deepEqual([...anna.complaints, ...bert.complaints], []);
    });
  });
}

describe('without a microphone', () => {
  let browser, house;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('it is said, and one can go on writing', async () => {
    const { page } = await person(browser, DESKTOP);
    await setUp(page, house, 'anna');
    await record(page).click();
    await page.getByText(/microphone/).first().waitFor();
    await composer(page).waitFor();
  });
});
