// Without a mouse and without eyes: from signing in to a reaction by keys alone, the focus never lost, and
// each message of somebody else said once.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import {
  House, PASSWORD, invite, join_, openChromium, person, reads, setUp, write,
} from './house.mjs';

const focused = (page) =>
  page.evaluate(() => {
    const { activeElement: at } = document;
    return at === null || at === document.body ? '' : at.tagName.toLowerCase();
  });

/** What the tree for readers says of the live region, newest last. */
const said = async (page) => {
  const client = await page.context().newCDPSession(page);
  const { nodes } = await client.send('Accessibility.getFullAXTree');
  const byId = new Map(nodes.map((node) => [node.nodeId, node]));
  const words = (node) => [
    ...(node.role?.value === 'StaticText' ? [node.name?.value ?? ''] : []),
    ...(node.childIds ?? []).flatMap((id) => (byId.has(id) ? words(byId.get(id)) : [])),
  ];
  const logs = nodes.filter(({ role }) => role?.value === 'log');
  await client.detach();
  return { regions: logs.length, lines: logs.flatMap(words) };
};

describe('by keys and by ear', () => {
  let browser, house, anna, bert;

  before(async () => {
    browser = await openChromium();
    house = await new House().start();
    [anna, bert] = [await person(browser), await person(browser)];
    await setUp(anna.page, house, 'anna');
    await join_(bert.page, await invite(anna.page), 'bert');
    await write(bert.page, 'Dinner at seven');
    await reads(anna.page, 'Dinner at seven');
  });

  after(async () => {
    await browser?.close();
    await house?.end();
  });

  test('from signing in to a reaction by keyboard alone', async () => {
    const { page } = await person(browser);
    const { keyboard } = page;
    /** Tab, until the focus is where it should be. */
    const tabTo = async (target, key = 'Tab') => {
      await target.first().waitFor();
      for (let n = 0; n < 40; n += 1) {
        if (await target.first().evaluate((node) => node === document.activeElement)) return;
        await keyboard.press(key);
        assert.notEqual(await focused(page), '', 'the focus is lost');
      }
      assert.fail('it cannot be reached by Tab');
    };
    await page.goto(`http://${house.http}/`);
    await tabTo(page.getByLabel('Your name'));
    await keyboard.type('anna');
    await tabTo(page.getByLabel('Password', { exact: true }));
    await keyboard.type(PASSWORD);
    await keyboard.press('Enter');
    const message = page.locator('main li[data-item]').filter({ hasText: 'Dinner at seven' });
    await message.waitFor();
    await tabTo(page.getByLabel(/^Write to /));
    await keyboard.type('I will be there');
    await keyboard.press('Enter');
    await reads(bert.page, 'I will be there');
    const rows = page.locator('main li[data-item]');
    await tabTo(rows.and(page.locator('[tabindex="0"]')), 'Shift+Tab');
    for (let n = 0; n < 10; n += 1) {
      if (await message.evaluate((node) => node === document.activeElement)) break;
      await keyboard.press('ArrowUp');
    }
    await keyboard.press('e');
    await page.getByRole('menu').or(page.getByRole('dialog')).first().waitFor();
    assert.notEqual(await focused(page), '');
    await keyboard.press('Enter');
    const reaction = bert.page.locator('main li[data-item]')
      .filter({ hasText: 'Dinner at seven' }).getByRole('button', { name: /anna/ });
    await reaction.first().waitFor();
    await page.waitForFunction(() => document.activeElement !== document.body);
    await keyboard.press('Control+k');
    await keyboard.type('gener');
    await page.getByRole('option', { name: 'General' }).waitFor();
    assert.equal(await page.getByRole('combobox', { name: 'Go to a room or a person' }).inputValue(), 'gener');
    await keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    assert.notEqual(await focused(page), '');
    await page.context().close();
  });

  test('each message of somebody else is said once, none of one’s own, and the focus stays', async () => {
    const { page } = anna;
    const composer = page.getByLabel(/^Write to /);
    await composer.focus();
    const before = (await said(page)).lines.length;
    const words = ['the soup is hot', 'bring bread', 'and **butter** /j'];
    for (const text of words) await write(bert.page, text);
    await write(page, 'coming');
    await reads(page, 'bring bread');
    await reads(bert.page, 'coming');
    await page.locator('main li[data-item]').filter({ hasText: 'butter' }).waitFor();
    const { regions, lines } = await said(page);
    assert.equal(regions, 1);
    const news = lines.slice(before);
    assert.equal(news.length, 3, news.join(' | '));
    assert.match(news[0], /bert.*the soup is hot/);
    assert.match(news[1], /bert.*bring bread/);
    assert.match(news[2], /bert.*butter.*joking/);
    assert.ok(await composer.evaluate((node) => node === document.activeElement));
    assert.deepEqual([...anna.complaints, ...bert.complaints], []);
  });
});
