// Which parts of running the house are offered to whom.
import { expect, test } from 'vitest';
import { houseSectionsOf } from './sections';

test('reports are offered to who keeps order in a room, the rest to who runs the house', () => {
  const member = { myRole: 'member', type: 'private' } as const;
  const keeper = { myRole: 'admin', type: 'private' } as const;
  const direct = { myRole: 'owner', type: 'direct' } as const;
  expect(houseSectionsOf('member', [member, direct])).toEqual([]);
  expect(houseSectionsOf('member', [member, keeper])).toEqual(['reports']);
  expect(houseSectionsOf('admin', [])).toContain('log');
});
