// Facts to timeline: edits, reactions, erasures, duplicates, gaps, copied writers, old keys.
import { describe, expect, test } from 'vitest';
import type { Body } from '../protocol/event';
import { parseId, type Id } from '../protocol/ids';
import type { Fact } from '../session/fact';
import type { Person, TimelineItem } from './model';
import { PENDING, timelineOf } from './timeline';

const id = (n: number): Id => parseId(`01929b2a-7c01-7abc-8def-${String(n).padStart(12, '0')}`);
const [ADA, BEN] = [id(1), id(2)];
const MINUTE = 60_000;

const person = (of: string): Person => ({
  id: of,
  name: of.slice(-1),
  displayName: of.slice(-1),
  role: 'member',
});

interface Told {
  readonly at?: number;
  readonly by?: Id;
  readonly seq?: number;
  readonly writer?: number;
  readonly epoch?: number;
  readonly id?: Id;
}

type EventFact = Extract<Fact, { kind: 'event' }>;

function event(position: number, body: Body, told: Told = {}): EventFact {
  const { at = position, by = ADA, seq = position, writer = 7, epoch = 1 } = told;
  return {
    kind: 'event',
    position,
    at,
    id: told.id ?? id(100 + position),
    sender: by,
    number: { writer, seq },
    epoch,
    body,
    changedCard: false,
  };
}

const say = (content: string): Body => ({ type: 'message', content, parentId: null, mentions: [] });
const edit = (target: Id, content: string): Body => ({ type: 'edit', target, content });
const react = (target: Id, emoji: string, on: boolean): Body => ({
  type: 'react',
  target,
  emoji,
  on,
});
const erase = (target: Id): Body => ({ type: 'delete', target, reason: null });

function line(position: number, more: Partial<Extract<Fact, { kind: 'line' }>['line']>): Fact {
  const none = { id: null, user: null, by: null, role: null, epoch: null, target: null };
  return { kind: 'line', position, at: position, line: { type: 'joined', ...none, ...more } };
}

function draw(facts: Fact[], complete = true): TimelineItem[] {
  const device = (): string => 'washer';
  return timelineOf({ facts, pending: [], me: ADA, complete, person, device });
}

const texts = (items: TimelineItem[]): string[] =>
  items.map((item) => {
    if (item.kind === 'message') return item.deleted ? '(deleted)' : item.text;
    return item.kind === 'gap' ? `(${item.count} missing)` : `(${item.kind})`;
  });

describe('edits', () => {
  test('of the sender count, the last position wins', () => {
    const facts = [event(1, say('a')), event(2, edit(id(101), 'b')), event(3, edit(id(101), 'c'))];
    expect(draw(facts)[0]).toMatchObject({ text: 'c', edited: true });
  });

  test('of somebody else or after 15 minutes do not', () => {
    const late = event(3, edit(id(101), 'late'), { at: 1 + 15 * MINUTE + 1 });
    const facts = [
      event(1, say('a')),
      event(2, edit(id(101), 'theirs'), { by: BEN, seq: 1 }),
      late,
    ];
    expect(draw(facts)[0]).toMatchObject({ text: 'a', edited: false });
    const inTime = event(3, edit(id(101), 'in time'), { at: 1 + 15 * MINUTE });
    const missing = draw([event(1, say('a')), inTime]);
    expect(texts(missing)).toContain('in time');
  });
});

test('reactions are a set by person and emoji, whatever its variation selector', () => {
  const facts = [
    event(1, say('a')),
    event(2, react(id(101), '❤️', true), { by: BEN, seq: 1 }),
    event(3, react(id(101), '❤', true), { by: BEN, seq: 2 }),
    event(4, react(id(101), '👍', true), { seq: 2 }),
    event(5, react(id(101), '👍', false), { seq: 3 }),
  ];
  const reactions = [{ emoji: '❤', by: [BEN], mine: false }];
  expect(draw(facts)[0]).toMatchObject({ reactions });
});

test('only the sender or the box takes a message back', () => {
  const facts = [
    event(1, say('a')),
    event(2, say('b')),
    event(3, erase(id(101)), { by: BEN, seq: 1 }),
    event(4, erase(id(102)), { seq: 3 }),
  ];
  expect(texts(draw(facts))).toEqual(['a', '(deleted)']);
  const erased = [event(1, say('a')), line(2, { type: 'erased', target: id(101) })];
  expect(texts(draw(erased))).toEqual(['(deleted)', '(line)']);
});

describe('a sender’s numbers', () => {
  test('a known id again is dropped', () => {
    const facts = [event(1, say('a')), event(2, say('a'), { id: id(101), seq: 1 })];
    expect(texts(draw(facts))).toEqual(['a']);
  });

  test('a known number with another id is shown as sent from a copied device', () => {
    const facts = [event(1, say('a')), event(2, say('b'), { seq: 1 })];
    expect(draw(facts)[1]).toMatchObject({ text: 'b', marks: ['copied_writer'] });
  });

  test('a gap within an unbroken run is counted, and once', () => {
    const facts = [
      event(1, say('a')),
      event(2, say('b'), { seq: 4 }),
      event(3, say('c'), { seq: 5 }),
    ];
    expect(texts(draw(facts))).toEqual(['a', '(2 missing)', 'b', 'c']);
  });

  test('what is missing at the very beginning is counted only there', () => {
    const facts = [event(1, say('a'), { seq: 3 })];
    expect(texts(draw(facts))).toEqual(['(2 missing)', 'a']);
    expect(texts(draw(facts, false))).toEqual(['a']);
  });

  test('a gap across positions that were not read is nobody’s loss', () => {
    const facts = [event(1, say('a')), event(9, say('b'), { seq: 7 })];
    expect(texts(draw(facts, false))).toEqual(['a', 'b']);
  });

  test('each writer is counted for itself', () => {
    const facts = [
      event(1, say('a')),
      event(2, say('b'), { writer: 8, seq: 1 }),
      event(3, say('c'), { by: BEN, seq: 1 }),
      event(4, say('d'), { seq: 2 }),
    ];
    expect(texts(draw(facts))).toEqual(['a', 'b', 'c', 'd']);
  });

  test('an erased event’s stub still counts', () => {
    const stub: Fact = {
      kind: 'stub',
      position: 2,
      at: 2,
      id: id(102),
      reason: 'erased',
      sender: ADA,
      number: { writer: 7, seq: 2 },
    };
    const facts = [event(1, say('a')), stub, event(3, say('c'))];
    expect(texts(draw(facts))).toEqual(['a', '(stub)', 'c']);
  });
});

test('an event of an older epoch after a newer epoch’s line is under an old key', () => {
  const facts = [line(1, { type: 'epoch', epoch: 2 }), event(2, say('a'), { seq: 1 })];
  expect(draw(facts)[1]).toMatchObject({ marks: ['old_key'] });
});

test('what is on its way comes last, and not twice once its echo is there', () => {
  const waiting = event(PENDING, say('b'), { id: id(102) });
  const pending = [{ fact: waiting, delivery: { kind: 'sending' } as const }];
  const common = { me: ADA, complete: true, person, device: () => '', pending };
  const before = timelineOf({ ...common, facts: [event(1, say('a'))] });
  expect(before[1]).toMatchObject({ text: 'b', position: null, delivery: { kind: 'sending' } });
  const after = timelineOf({ ...common, facts: [event(1, say('a')), event(2, say('b'))] });
  expect(after).toHaveLength(2);
  expect(after[1]).toMatchObject({ position: 2, delivery: { kind: 'stored' } });
});
