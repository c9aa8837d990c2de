// How the timeline is grouped: by sender, by five minutes, by day, by what is new.
import { expect, test } from 'vitest';
import type { MessageItem, TimelineItem } from '../../state/model';
import { firstNew, rowsOf } from './rows';

const noon = new Date(2026, 10, 20, 12, 0).getTime();

function message(id: string, who: string, minutes: number, own = false): MessageItem {
  return {
    kind: 'message',
    id,
    position: 1,
    at: noon + minutes * 60_000,
    sender: { id: who, name: who, displayName: who, role: 'member', avatar: null },
    own,
    text: id,
    attachments: [],
    edited: false,
    deleted: false,
    parentId: null,
    versions: [],
    deletedBy: null,
    quote: null,
    mentionsMe: false,
    tone: null,
    change: null,
    reach: null,
    reactions: [],
    marks: [],
    delivery: { kind: 'stored' },
  };
}

function drawn(items: TimelineItem[], newFrom: string | null = null): string {
  return rowsOf(items, newFrom)
    .map((row) => {
      if (row.kind !== 'message') return row.kind;
      return `${row.first ? '(' : ''}${row.item.id}${row.last ? ')' : ''}`;
    })
    .join(' ');
}

test('messages of one sender within five minutes are one group', () => {
  const items = [message('a', 'anna', 0), message('b', 'anna', 4), message('c', 'anna', 10)];
  expect(drawn(items)).toBe('day (a b) (c)');
  expect(drawn([message('a', 'anna', 0), message('b', 'ben', 1)])).toBe('day (a) (b)');
});

test('a day and what is new break a group', () => {
  const items = [message('a', 'anna', 719), message('b', 'anna', 721)];
  expect(drawn(items)).toBe('day (a) day (b)');
  const near = [message('a', 'anna', 0), message('b', 'anna', 1)];
  expect(drawn(near, 'b')).toBe('day (a) new (b)');
});

test('a new key of the room is no row and breaks no group', () => {
  const key: TimelineItem = {
    kind: 'line',
    id: 'k',
    position: 2,
    at: noon,
    line: 'epoch',
    person: null,
    by: null,
    role: null,
    epoch: 2,
  };
  expect(drawn([key, message('a', 'anna', 0), key, message('b', 'anna', 1)])).toBe('day (a b)');
});

test('what is new begins after what was read, with what somebody else wrote', () => {
  const items = [
    message('a', 'anna', 0),
    message('b', 'anna', 1),
    message('c', 'me', 2, true),
    message('d', 'anna', 3),
  ].map((item, at) => ({ ...item, position: at + 1 }));
  expect(firstNew(items, 4)).toBe(null);
  expect(firstNew(items, 2)).toBe('d');
  expect(firstNew(items, 1)).toBe('b');
  expect(firstNew(items, 0)).toBe('a');
});
