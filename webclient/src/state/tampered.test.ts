// Whatever a box does to the order of one sender's events is seen, but for a cut-off end.
import { expect, test } from 'vitest';
import { parseId, type Id } from '../protocol/ids';
import type { Fact } from '../session/fact';
import { dice, type Dice } from '../testing/dice';
import type { Person, TimelineItem } from './model';
import { timelineOf } from './timeline';

const id = (n: number): Id => parseId(`01929b2a-7c01-7abc-8def-${String(n).padStart(12, '0')}`);
const [ADA, BEN] = [id(1), id(2)];
const RUNS = 2_000;

const person = (of: string): Person => ({
  id: of,
  name: of,
  displayName: of,
  role: 'member',
  avatar: null,
});

function said(by: Id, seq: number, epoch: number): Fact {
  const none = { parentId: null, mentions: [], attachments: [], tone: null };
  const body = { type: 'message', content: `${seq}`, ...none } as const;
  const placed = { position: 0, at: 0, id: id((by === ADA ? 100 : 200) + seq), sender: by };
  return { kind: 'event', ...placed, number: { writer: 7, seq }, epoch, body, changedCard: false };
}

function newEpoch(epoch: number): Fact {
  const line = { type: 'epoch', id: null, user: null, by: ADA, role: null, target: null } as const;
  return { kind: 'line', position: 0, at: 0, line: { ...line, epoch } };
}

/** Ada and Ben write, over some epochs. */
function written(roll: Dice): Fact[] {
  const next = new Map([
    [ADA, 1],
    [BEN, 1],
  ]);
  let epoch = 1;
  return Array.from({ length: 6 + roll(12) }, () => {
    if (roll(6) === 0) return newEpoch(++epoch);
    const by = roll(3) === 0 ? BEN : ADA;
    const seq = next.get(by) ?? 1;
    next.set(by, seq + 1);
    return said(by, seq, epoch);
  });
}

const placed = (facts: readonly Fact[]): Fact[] =>
  facts.map((fact, at) => ({ ...fact, position: at + 1 }));

/** Takes one away, with its place or without; puts one elsewhere; puts one elsewhere too. */
function tampered(facts: readonly Fact[], roll: Dice): Fact[] {
  const [from, to] = [roll(facts.length), roll(facts.length)];
  const one = facts[from];
  if (one === undefined) return [...facts];
  switch (roll(4)) {
    case 0:
      return placed(facts.toSpliced(from, 1));
    case 1:
      return facts.toSpliced(from, 1);
    case 2:
      return placed(facts.toSpliced(from, 1).toSpliced(to, 0, one));
    default:
      return placed(facts.toSpliced(to, 0, one));
  }
}

function shown(facts: readonly Fact[]): TimelineItem[] {
  const run = { from: 1, to: facts.at(-1)?.position ?? 0 };
  const of = { facts, pending: [], me: BEN, complete: true, run, person };
  return timelineOf({ ...of, device: () => '' });
}

const textsOf = (items: readonly TimelineItem[], by: Id): string[] =>
  items.flatMap((item) => (item.kind === 'message' && item.sender.id === by ? [item.text] : []));

const isTold = (items: readonly TimelineItem[], by: Id): boolean =>
  items.some(
    (item) =>
      (item.kind === 'gap' || (item.kind === 'message' && item.marks.length > 0)) &&
      item.sender.id === by,
  );

test('what is told is told of those whose events were touched', () => {
  const facts = placed([said(ADA, 1, 1), said(BEN, 1, 1), said(ADA, 2, 1), said(BEN, 2, 1)]);
  expect(isTold(shown(facts), ADA) || isTold(shown(facts), BEN)).toBe(false);
  const without = shown(placed(facts.toSpliced(0, 1)));
  expect([isTold(without, ADA), isTold(without, BEN)]).toEqual([true, false]);
});

test('either it is told, or all is as it was written, up to some end', () => {
  let [told, quiet] = [0, 0];
  for (let seed = 1; seed <= RUNS; seed++) {
    const roll = dice(seed * 7_919);
    const honest = placed(written(roll));
    let facts = honest;
    for (let n = roll(3); n >= 0; n--) facts = tampered(facts, roll);
    for (const by of [ADA, BEN]) {
      const items = shown(facts);
      if (isTold(items, by)) {
        told += 1;
        continue;
      }
      quiet += 1;
      const [before, after] = [textsOf(shown(honest), by), textsOf(items, by)];
      expect(after, `seed ${seed}`).toEqual(before.slice(0, after.length));
    }
  }
  expect(Math.min(told, quiet)).toBeGreaterThan(RUNS / 10);
});
