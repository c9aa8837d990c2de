// Hits in a text: set apart as they were written, with what stands around them.
import { expect, test } from 'vitest';
import { marked } from './marked';

const shown = (text: string, terms: readonly string[]): string =>
  marked(text, terms)
    .map(({ text, hit }) => (hit ? `[${text}]` : text))
    .join('');

test('hits keep their accents and capitals; nothing else is touched', () => {
  expect(shown('Crème brûlée, CREME', ['creme'])).toBe('[Crème] brûlée, [CREME]');
  expect(shown('creamy', ['cream'])).toBe('creamy');
  expect(shown('<b>bold</b>', ['bold'])).toBe('<b>[bold]</b>');
  expect(shown('', ['x'])).toBe('');
});

test('of a long text the part around the first hit is shown', () => {
  const text = `${'word '.repeat(100)}needle${' word'.repeat(100)}`;
  const out = shown(text, ['needle']);
  expect(out.startsWith('… ')).toBe(true);
  expect(out.endsWith(' …')).toBe(true);
  expect(out).toContain('[needle]');
  expect(out.length).toBeLessThan(300);
});
