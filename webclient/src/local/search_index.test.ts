// The index: found by beginnings and without accents, edits and deletions in whatever order they are read.
import { expect, test } from 'vitest';
import { SearchIndex, SEGMENT, type Doc, type Entry, type Query } from './search_index';

const doc = (position: number, text: string, more: Partial<Doc> = {}): Entry => ({
  kind: 'put',
  doc: {
    id: `m${position}`,
    position,
    at: position * 1_000,
    sender: 'anna',
    text,
    parent: null,
    file: false,
    ...more,
  },
});

const query = (text: string, more: Partial<Query> = {}): Query => ({
  text,
  room: null,
  sender: null,
  from: null,
  to: null,
  link: false,
  file: false,
  limit: 50,
  ...more,
});

async function found(index: SearchIndex, text: string, more?: Partial<Query>): Promise<string[]> {
  return (await index.find(query(text, more))).map(({ id }) => id);
}

test('words are found by their beginning, without accents and case, all of them', async () => {
  const index = new SearchIndex();
  await index.feed('r', [
    doc(1, 'Crème brûlée für Zoë'),
    doc(2, 'the cœur of it'),
    doc(3, 'brown cream'),
  ]);
  expect(await found(index, 'crem')).toEqual(['m1']);
  expect(await found(index, 'BRULEE zoe')).toEqual(['m1']);
  expect(await found(index, 'brulee cream')).toEqual([]);
  expect(await found(index, 'coeur')).toEqual(['m2']);
  expect(await found(index, 'cr')).toEqual(['m3', 'm1']);
  expect(await found(index, '')).toEqual([]);
});

test('filters, alone and beside words; the newest first, no more than asked for', async () => {
  const index = new SearchIndex();
  await index.feed('r', [
    doc(1, 'soup at https://soup.example/x'),
    doc(2, 'soup', { sender: 'bert', file: true }),
    doc(SEGMENT * 3, 'soup again'),
  ]);
  await index.feed('s', [doc(7, 'soup', { id: 'other' })]);
  expect(await found(index, 'soup')).toEqual([`m${SEGMENT * 3}`, 'other', 'm2', 'm1']);
  expect(await found(index, 'soup', { limit: 1 })).toEqual([`m${SEGMENT * 3}`]);
  expect(await found(index, 'soup', { room: 's' })).toEqual(['other']);
  expect(await found(index, '', { link: true })).toEqual(['m1']);
  expect(await found(index, '', { file: true })).toEqual(['m2']);
  expect(await found(index, '', { sender: 'bert' })).toEqual(['m2']);
  expect(await found(index, 'soup', { from: 2_000, to: 7_000 })).toEqual(['other', 'm2']);
});

test('an edit counts whether it is read after its message or before; only one’s own', async () => {
  const index = new SearchIndex();
  const edit = (target: string, text: string, at = 9, sender = 'anna'): Entry => ({
    kind: 'edit',
    target,
    sender,
    at,
    text,
  });
  await index.feed('r', [doc(1, 'lunch'), edit('m1', 'dinner')]);
  await index.feed('r', [edit('m2', 'third', 12), edit('m2', 'second', 11), doc(2, 'first')]);
  await index.feed('r', [doc(3, 'honest'), edit('m3', 'forged', 13, 'mallory')]);
  expect(await found(index, 'lunch')).toEqual([]);
  expect(await found(index, 'dinner')).toEqual(['m1']);
  expect(await found(index, 'third')).toEqual(['m2']);
  expect(await found(index, 'second')).toEqual([]);
  expect(await found(index, 'honest')).toEqual(['m3']);
});

test('what is deleted is not found, also when that is read first; nobody deletes for another', async () => {
  const index = new SearchIndex();
  const remove = (target: string, by: string | null): Entry => ({ kind: 'remove', target, by });
  await index.feed('r', [doc(1, 'one'), remove('m1', 'anna')]);
  await index.feed('r', [remove('m2', null), doc(2, 'two')]);
  await index.feed('r', [doc(3, 'three'), remove('m3', 'mallory')]);
  expect(await found(index, 'one')).toEqual([]);
  expect(await found(index, 'two')).toEqual([]);
  expect(await found(index, 'three')).toEqual(['m3']);
  for (const { json } of await index.changed()) expect(json).not.toContain('two');
});

test('what has changed is given once, and reads back', async () => {
  const index = new SearchIndex();
  await index.feed('r', [doc(1, 'one'), doc(SEGMENT, 'two', { parent: 'm1' })]);
  await index.feed('r', [{ kind: 'edit', target: 'm5', sender: 'anna', at: 9, text: 'five' }]);
  const parts = await index.changed();
  expect(parts.map(({ part }) => part)).toEqual(['0', '1', 'state']);
  expect(await index.changed()).toEqual([]);
  const again = new SearchIndex();
  for (const part of parts) expect(await again.load(part)).toBe(true);
  expect(await found(again, 'two')).toEqual([`m${SEGMENT}`]);
  expect(await again.answers('r', 'm1')).toEqual([SEGMENT]);
  await again.feed('r', [doc(5, 'four')]);
  expect(await found(again, 'five')).toEqual(['m5']);
  await again.forget();
  expect(await found(again, 'two')).toEqual([]);
  expect(await again.load({ room: 'r', part: '0', json: '{"no": 1}' })).toBe(false);
});
