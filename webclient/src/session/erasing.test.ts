// Erasing among what is kept: every event is found, whatever lies beside it.
import { expect, test } from 'vitest';
import { idBytes, parseId, type Id } from '../protocol/ids';
import type { Item } from '../protocol/item';
import { erase } from './erasing';

const id = (n: number): Id => parseId(`01929b2a-7c01-7abc-8def-${String(n).padStart(12, '0')}`);
const ADA = id(1);

/** A sealed event of ada's as it is kept; null: without an id. */
function sealed(position: number, of: Id | null): Item {
  const bytes = new Uint8Array(60);
  if (of !== null) bytes.set(idBytes(of), 5);
  bytes.set(idBytes(ADA), 21);
  return { kind: 'sealed', position, receivedAt: position, class: 'event', bytes };
}

test('an event without an id hides no other from erasing', () => {
  const erasure = { id: id(7), by: ADA, own: ADA };
  const { left, open } = erase([sealed(1, null), sealed(2, id(7)), sealed(3, null)], [erasure]);
  expect(open).toEqual([]);
  expect(left.map(({ position }) => position)).toEqual([2]);
});
