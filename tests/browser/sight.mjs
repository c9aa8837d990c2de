// What is wrong with a page as it is seen and heard: axe-core's findings, what is cut off, what lies under
// something else.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(new URL('../../webclient/package.json', import.meta.url));
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds wrong on a page, a line each. `rules`: only these. */
export async function faults(page, rules = null) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  return page.evaluate(async (only) => {
    // Under an open popover nothing is seen; axe-core takes what lies over a text for what is behind it.
    const covered = (target) => {
      const node = document.querySelector(target.at(-1));
      if (node === null) return false;
      const { left, top, width, height } = node.getBoundingClientRect();
      const over = document.elementFromPoint(left + width / 2, top + height / 2);
      const popover = over?.closest(':popover-open') ?? null;
      return popover !== null && !popover.contains(node);
    };
    const { violations } = await globalThis.axe.run(document, only === null ? {} : { runOnly: only });
    return violations.flatMap(({ id, nodes }) =>
      nodes
        .filter(({ target }) => !id.startsWith('color-contrast') || !covered(target))
        .map(({ target, failureSummary }) => `${id} ${target.join(' ')}: ${failureSummary}`));
  }, rules);
}

/** What sticks out of the window or of its box, and what lies under something else, a line each. */
export const misplaced = (page) =>
  page.evaluate(() => {
    const wrong = [];
    const name = (node) => {
      const said = (node.getAttribute('aria-label') ?? node.textContent ?? '').trim().slice(0, 40);
      return `${node.tagName.toLowerCase()}.${[...node.classList].join('.')} "${said}"`;
    };
    const root = document.scrollingElement;
    if (root.scrollWidth > innerWidth) wrong.push(`the page is ${root.scrollWidth} wide`);

    /** Moves sideways on purpose, or says by dots that something is left out. */
    const moves = (node) =>
      ['auto', 'scroll'].includes(getComputedStyle(node).overflowX) && node.scrollWidth > node.clientWidth;
    // What lies over the rest on purpose.
    const dialog = [...document.querySelectorAll('dialog[open], [role=menu]')].at(-1);
    const drawn = (node) => {
      const box = node.getBoundingClientRect();
      if (box.width <= 1 || box.height <= 1) return false;
      if (!node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false;
      if (node.closest('[inert], .visually-hidden') !== null) return false;
      return dialog === undefined || dialog.contains(node);
    };
    const parents = function* (node) {
      for (let one = node.parentElement; one !== null; one = one.parentElement) yield one;
    };
    for (const node of document.querySelectorAll('#app *, dialog *')) {
      if (!drawn(node) || node.closest('svg') !== node && node.closest('svg') !== null) continue;
      const box = node.getBoundingClientRect();
      const beside = box.left < -1 || box.right > innerWidth + 1;
      if (beside && ![...parents(node)].some(moves)) wrong.push(`${name(node)} sticks out of the window`);
      const style = getComputedStyle(node);
      const text = [...node.childNodes].some((one) => one.nodeType === 3 && one.textContent.trim() !== '');
      const cut = node.scrollWidth > node.clientWidth + 1 && style.overflowX === 'hidden';
      if (text && cut && style.textOverflow !== 'ellipsis') wrong.push(`${name(node)} is cut off`);
      // A single letter of a name with dots says nothing.
      if (text && cut && style.textOverflow === 'ellipsis' && box.width < 40) {
        wrong.push(`${name(node)} has no room: ${Math.round(box.width)} px`);
      }
    }
    const works = 'button, a[href], input, textarea, select, [role=switch], [tabindex="0"]';
    for (const node of document.querySelectorAll(works)) {
      if (!drawn(node) || node.disabled) continue;
      const box = node.getBoundingClientRect();
      const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
      const seen = (one) => {
        const edge = one.getBoundingClientRect();
        const hides = getComputedStyle(one).overflowY !== 'visible' || getComputedStyle(one).overflowX !== 'visible';
        return !hides || (x > edge.left && x < edge.right && y > edge.top && y < edge.bottom);
      };
      if (x < 0 || y < 0 || x > innerWidth || y > innerHeight || ![...parents(node)].every(seen)) continue;
      const top = document.elementFromPoint(x, y);
      const own = top === null || node.contains(top) || top.contains(node) || node.labels?.[0]?.contains(top);
      if (!own) wrong.push(`${name(node)} lies under ${name(top)}`);
    }
    return [...new Set(wrong)];
  });

/** Fields whose hint is wider than they are, a line each. */
export const cutHints = (page) =>
  page.evaluate(() => {
    const pen = document.createElement('canvas').getContext('2d');
    return [...document.querySelectorAll('input[placeholder], textarea[placeholder]')].flatMap((field) => {
      if (!field.checkVisibility({ visibilityProperty: true }) || field.value !== '') return [];
      const { font, paddingLeft, paddingRight } = getComputedStyle(field);
      pen.font = font;
      const room = field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight);
      const wide = Math.ceil(pen.measureText(field.placeholder).width);
      return wide > room + 1 ? [`"${field.placeholder}" is ${wide} wide in ${Math.floor(room)}`] : [];
    });
  });
