// Keys on a message that has the focus.
import { expect, test } from 'vitest';
import { meaningOf } from './walking';

const rows = ['a', 'b', 'c'].map((id) => ({ id }));
const press = (key: string, more = {}) =>
  meaningOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...more }, rows, rows[1]);

test('arrows walk and stay inside', () => {
  expect(press('ArrowUp')).toEqual({ kind: 'focus', id: 'a' });
  expect(press('ArrowDown')).toEqual({ kind: 'focus', id: 'c' });
  expect(press('End')).toEqual({ kind: 'focus', id: 'c' });
  const none = { ctrlKey: false, metaKey: false, altKey: false };
  expect(meaningOf({ key: 'ArrowDown', ...none }, rows, rows[2])).toEqual({
    kind: 'focus',
    id: 'c',
  });
  expect(meaningOf({ key: 'ArrowUp', ...none }, [], undefined)).toBeNull();
});

test('letters act, and not with a control key', () => {
  expect(press('r')).toEqual({ kind: 'reply' });
  expect(press('E')).toEqual({ kind: 'menu', first: 'emoji' });
  expect(press('Enter')).toEqual({ kind: 'menu', first: 'actions' });
  expect(press('r', { ctrlKey: true })).toBeNull();
  expect(press('ArrowUp', { altKey: true })).toBeNull();
  expect(press('x')).toBeNull();
});
