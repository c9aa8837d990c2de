// The names of browsers in the list of logins.
import { expect, test } from 'vitest';
import { browserLabel } from './browser_label';

test.each([
  ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox · Linux'],
  [
    'Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36',
    'Chrome · Android',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1',
    'Safari · iPhone',
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0',
    'Edge · Windows',
  ],
  ['Chrome · Linux', 'Chrome · Linux'],
  ['hearth on the kitchen box', 'hearth on the kitchen box'],
  ['', ''],
  ['x'.repeat(300), 'x'.repeat(100)],
])('%s', (userAgent, label) => {
  expect(browserLabel(userAgent)).toBe(label);
});
