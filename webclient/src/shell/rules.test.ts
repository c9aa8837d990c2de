// What the service worker takes from its cache, and what it never touches.
import { expect, test } from 'vitest';
import { cached } from './rules';

const origin = 'https://hearth.local';
const own = { origin, files: new Set(['/', '/assets/index-1.js', '/sw.js']) };
const get = { method: 'GET', mode: 'cors', origin };

test('the app’s own files and its page are answered without the network', () => {
  expect(cached({ ...get, path: '/assets/index-1.js' }, own)).toBe('/assets/index-1.js');
  for (const path of ['/', '/setup', '/reset', '/pair', '/i/7KQ4MZ2XPW']) {
    expect(cached({ ...get, mode: 'navigate', path }, own), path).toBe('/');
  }
});

test('nothing of the box is', () => {
  for (const path of [
    '/api/rooms',
    '/api/attachments/0192f3c0-0000-7000-8000-000000000001',
    '/api/attachments/0192f3c0-0000-7000-8000-000000000001/thumbnail',
    '/health',
    '/metrics',
    '/sw.js',
    '/assets/other.js',
  ]) {
    expect(cached({ ...get, path }, own), path).toBeNull();
    expect(cached({ ...get, mode: 'navigate', path }, own), path).toBeNull();
  }
  expect(cached({ ...get, method: 'POST', path: '/' }, own)).toBeNull();
  expect(cached({ ...get, origin: 'https://elsewhere', path: '/' }, own)).toBeNull();
});
