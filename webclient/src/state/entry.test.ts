// Which address leads to which screen.
import { expect, test } from 'vitest';
import { parseEntry } from './entry';

const key = 'A'.repeat(43);

test('a set-up link and an invite link are told apart from the rest', () => {
  expect(parseEntry('/setup', '#' + 'x'.repeat(22))).toEqual({
    kind: 'setup',
    secret: 'x'.repeat(22),
  });
  expect(parseEntry('/i/01z0zajmpv', '#' + key)).toEqual({ kind: 'join', code: '01Z0ZAJMPV', key });
  // An open room's invite has no key.
  expect(parseEntry('/i/01z0zajmpv', '')).toEqual({ kind: 'join', code: '01Z0ZAJMPV', key: '' });
  const plain: [string, string][] = [
    ['/', ''],
    ['/setup', ''],
    ['/setup', '#short'],
    ['/i/01Z0ZAJMPV', '#short'],
    ['/i/01Z0ZAJMPV/x', '#' + key],
    ['/i/01Z0', '#' + key],
  ];
  for (const [path, fragment] of plain) expect(parseEntry(path, fragment).kind).toBe('plain');
});
