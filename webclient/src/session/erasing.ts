// What was erased on the box goes from this browser too: which events, and what stays of them.
import { BytesError } from '../protocol/bytes';
import { idFromBytes, type Id } from '../protocol/ids';
import type { HistoryStore } from '../local/history';
import type { Item } from '../protocol/item';
import type { Fact } from './fact';

/** An event that is to go. `own`: only if this person wrote it; null: whoever did. */
export interface Erasure {
  readonly id: Id;
  readonly by: Id | null;
  readonly own: Id | null;
}

/** Which event a fact erases. In a sealed room a person erases only what is their own. */
export function erasureOf(fact: Fact): Erasure | null {
  if (fact.kind === 'event' && fact.body.type === 'delete') {
    const { sender, epoch } = fact;
    return { id: fact.body.target, by: sender, own: epoch === 0 ? null : sender };
  }
  if (fact.kind !== 'line' || fact.line.type !== 'erased' || fact.line.target === null) return null;
  return { id: fact.line.target, by: fact.line.by, own: null };
}

/** Of a wire: version, epoch, id16, sender16 … (sealing.md §4). */
const ID_AT = 5;
const SENDER_AT = 21;
/** Bytes of a sealed event that stay when it is erased: its header. */
const HEADER_BYTES = 50;

function headOf(item: Item): { id: Id; sender: Id | null } | null {
  if (item.kind === 'open') return { id: item.id, sender: item.sender };
  if (item.kind === 'damaged' || item.class !== 'event') return null;
  if (item.bytes.length <= HEADER_BYTES) return null;
  try {
    const id = idFromBytes(item.bytes.slice(ID_AT, SENDER_AT));
    return { id, sender: idFromBytes(item.bytes.slice(SENDER_AT, SENDER_AT + 16)) };
  } catch (error) {
    // The nil id is nobody's: such an event is none, and hides no other from erasing.
    if (error instanceof BytesError) return null;
    throw error;
  }
}

function editOf(item: Item): Id | null {
  if (item.kind !== 'open' || item.content.type !== 'event') return null;
  const { body } = item.content.event;
  return body.type === 'edit' ? body.target : null;
}

/** An item as it is kept after it was erased, as the box keeps it. */
function remains(item: Item, target: Id, by: Id | null): Item {
  if (item.kind === 'sealed') return { ...item, bytes: item.bytes.slice(0, HEADER_BYTES) };
  if (item.kind === 'damaged') return item;
  const none = { user: null, role: null, epoch: null };
  const line = { type: 'erased', id: item.id, target, by, ...none } as const;
  return { ...item, content: { type: 'line', line } };
}

export interface Erased {
  /** What stays in the places of those that went. */
  readonly left: readonly Item[];
  /** Erasures whose event is not among the items. */
  readonly open: readonly Erasure[];
}

/**
 * Erases among kept items; in open rooms the edits of an event go with it. In sealed rooms nobody but
 * the members knows which events are edits: they stay, sealed.
 */
export function erase(items: readonly Item[], erasures: readonly Erasure[]): Erased {
  const wanted = new Map<string, Erasure>(erasures.map((one) => [one.id, one]));
  const left: Item[] = [];
  const open = new Map(wanted);
  for (const item of items) {
    const head = headOf(item);
    const target = head === null ? null : (editOf(item) ?? head.id);
    const erasure = target === null ? undefined : wanted.get(target);
    if (head === null || erasure === undefined) continue;
    if (head.id === erasure.id) open.delete(head.id);
    const isLine = item.kind === 'open' && item.content.type === 'line';
    const may = erasure.own === null || erasure.own === head.sender;
    if (may && !isLine) left.push(remains(item, erasure.id, erasure.by));
  }
  return { left, open: [...open.values()] };
}

/** Kept items that are looked through at a time. */
const LOOK = 500;

/** Erases among a room's kept items, from the newest down to `low`. Gives what stays, to be kept. */
export async function eraseKept(
  store: HistoryStore,
  room: Id,
  { low, high }: { readonly low: number; readonly high: number },
  erasures: readonly Erasure[],
): Promise<Item[]> {
  const left: Item[] = [];
  let open = erasures;
  let below = high + 1;
  while (open.length > 0 && below > low) {
    const items = await store.newest(room, LOOK, below);
    const lowest = items[0];
    if (lowest === undefined) break;
    const erased = erase(items, open);
    left.push(...erased.left);
    ({ open } = erased);
    below = lowest.position;
  }
  return left;
}
