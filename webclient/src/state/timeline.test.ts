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
  avatar: null,
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

const say = (content: string): Body => ({
  type: 'message',
  content,
  parentId: null,
  mentions: [],
  attachments: [],
  tone: null,
});
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
  return timelineOf({ facts, pending: [], me: ADA, complete, run: null, person, device });
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
  const reactions = [{ emoji: '❤', by: [person(BEN)], mine: false }];
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
  expect(texts(draw(erased))).toEqual(['(deleted)']);
});

describe('a sender’s numbers', () => {
  test('a known id again is dropped', () => {
    const facts = [event(1, say('a')), event(2, say('a'), { id: id(101), seq: 1 })];
    expect(texts(draw(facts))).toEqual(['a']);
  });

  test('an old number after a newer one is shown as out of turn, whatever lies between', () => {
    const facts = [
      event(5, say('new'), { seq: 90 }),
      event(6, say('b'), { by: BEN, seq: 1 }),
      event(7, say('old'), { seq: 5 }),
      event(20, say('older'), { seq: 4 }),
      event(21, say('newest'), { seq: 91 }),
    ];
    const shown = draw(facts).filter(({ kind }) => kind === 'message');
    const marks = shown.map((item) => (item.kind === 'message' ? item.marks : null));
    expect(marks).toEqual([[], [], ['out_of_turn'], ['out_of_turn'], []]);
  });

  test('an old edit that comes again marks the text that it brings back', () => {
    const facts = [
      event(1, say('a')),
      event(2, edit(id(101), 'new'), { seq: 9 }),
      event(3, edit(id(101), 'old'), { seq: 4 }),
    ];
    const [shown] = draw(facts).filter(({ kind }) => kind === 'message');
    expect(shown).toMatchObject({ marks: ['out_of_turn'] });
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
      by: null,
    };
    const facts = [event(1, say('a')), stub, event(3, say('c'))];
    expect(texts(draw(facts))).toEqual(['a', '(deleted)', 'c']);
  });
});

test('an event of an older epoch after a newer epoch’s line is under an old key', () => {
  const facts = [line(1, { type: 'epoch', epoch: 2 }), event(2, say('a'), { seq: 1 })];
  expect(draw(facts)[1]).toMatchObject({ marks: ['old_key'] });
});

test('what is on its way comes last, and not twice once its echo is there', () => {
  const waiting = event(PENDING, say('b'), { id: id(102) });
  const pending = [{ fact: waiting, delivery: { kind: 'sending' } as const }];
  const common = { me: ADA, complete: true, run: null, person, device: () => '', pending };
  const before = timelineOf({ ...common, facts: [event(1, say('a'))] });
  expect(before[1]).toMatchObject({ text: 'b', position: null, delivery: { kind: 'sending' } });
  const after = timelineOf({ ...common, facts: [event(1, say('a')), event(2, say('b'))] });
  expect(after).toHaveLength(2);
  expect(after[1]).toMatchObject({ position: 2, delivery: { kind: 'stored' } });
});

const PNG = '🎉';

describe('what one writes and is not stored yet', () => {
  const common = { me: ADA, complete: true, run: null, person, device: (): string => '' };
  const mine = (n: number, body: Body): EventFact => ({
    ...event(PENDING, body, { id: id(n), seq: 0, at: 5 }),
  });

  test('shows: an edit, a reaction, and on what they wait', () => {
    const pending = [
      { fact: mine(201, edit(id(101), 'b')), delivery: { kind: 'sending' } as const },
      { fact: mine(202, react(id(101), PNG, true)), delivery: { kind: 'queued' } as const },
    ];
    const drawn = timelineOf({ ...common, facts: [event(1, say('a'))], pending });
    expect(drawn[0]).toMatchObject({
      text: 'b',
      edited: true,
      reactions: [{ emoji: PNG, mine: true }],
      change: { id: id(202), what: 'reaction', delivery: { kind: 'queued' } },
    });
  });

  test('a change that failed is not shown as done, and stays to be tried again', () => {
    const problem = { code: 'edit_window_over', message: 'too late', hint: '' };
    const delivery = { kind: 'failed', problem } as const;
    const pending = [{ fact: mine(201, edit(id(101), 'b')), delivery }];
    const drawn = timelineOf({ ...common, facts: [event(1, say('a'))], pending });
    expect(drawn[0]).toMatchObject({ text: 'a', edited: false, change: { id: id(201), delivery } });
  });
});

describe('versions', () => {
  test('of an edited message are all there, the current one last', () => {
    const facts = [event(1, say('a')), event(2, edit(id(101), 'b')), event(3, edit(id(101), 'c'))];
    const versions = ['a', 'b', 'c'].map((text, n) => ({ text, at: n + 1 }));
    expect(draw(facts)[0]).toMatchObject({ versions });
  });

  test('of a deleted message are gone, with its reactions', () => {
    const facts = [
      event(1, say('a')),
      event(2, edit(id(101), 'b')),
      event(3, react(id(101), PNG, true)),
      event(4, erase(id(101))),
      event(5, edit(id(101), 'back')),
    ];
    const gone = { text: '', edited: false, versions: [], reactions: [], deletedBy: person(ADA) };
    expect(draw(facts)[0]).toMatchObject({ deleted: true, ...gone });
  });

  test('an edit from a copied writer marks the text that it made', () => {
    const facts = [event(1, say('a')), event(2, edit(id(101), 'b'), { seq: 1 })];
    expect(draw(facts)[0]).toMatchObject({ text: 'b', marks: ['copied_writer'] });
  });
});

describe('replies', () => {
  const reply = (parent: Id): Body => ({ ...say('yes'), parentId: parent }) as Body;

  test('quote what they answer, as it reads now', () => {
    const facts = [
      event(1, say('a')),
      event(2, reply(id(101)), { by: BEN, seq: 1 }),
      event(3, edit(id(101), 'b'), { seq: 2 }),
    ];
    const quote = { kind: 'message', id: id(101), sender: person(ADA), text: 'b', deleted: false };
    expect(draw(facts)[1]).toMatchObject({ parentId: id(101), quote });
  });

  test('quote no word of what was deleted, and say what is not here', () => {
    const facts = [event(1, say('a')), event(2, reply(id(101))), event(3, erase(id(101)))];
    expect(draw(facts)[1]).toMatchObject({ quote: { text: '', deleted: true } });
    expect(draw([event(2, reply(id(101)))], false)[0]).toMatchObject({
      quote: { kind: 'away', id: id(101) },
    });
  });
});

describe('in open rooms', () => {
  const open = { epoch: 0 };

  test('the box has judged who may delete', () => {
    const facts = [event(1, say('a'), open), event(2, erase(id(101)), { ...open, by: BEN })];
    expect(draw(facts)[0]).toMatchObject({ deleted: true, deletedBy: person(BEN) });
  });

  test('what is left of an edit is no row of its own', () => {
    const facts = [
      event(1, say('a'), open),
      line(2, { type: 'erased', id: id(102), target: id(101), by: BEN }),
      line(3, { type: 'erased', target: id(101), by: BEN }),
    ];
    expect(texts(draw(facts))).toEqual(['(deleted)']);
  });
});

test('a post takes reactions too', () => {
  const post: Fact = {
    kind: 'post',
    position: 1,
    at: 1,
    id: id(101),
    device: id(9),
    post: { text: 'done', title: null, icon: null, priority: 'normal', box: false },
    sealedBy: 'box',
    oldKey: false,
  };
  const drawn = draw([post, event(2, react(id(101), PNG, true), { seq: 1 })]);
  expect(drawn[0]).toMatchObject({ kind: 'post', reactions: [{ emoji: PNG, mine: true }] });
});

test('who is named in a message knows it, by id or by name', () => {
  const facts = [
    event(1, { ...say('look'), mentions: [ADA] } as Body, { by: BEN, seq: 1 }),
    event(2, say(`so, @${person(ADA).name}?`), { by: BEN, seq: 2 }),
    event(3, say('mail@1'), { by: BEN, seq: 3 }),
  ];
  const named = draw(facts).map((item) => item.kind === 'message' && item.mentionsMe);
  expect(named).toEqual([true, false, false]);
});
