// Stored items become facts: sealed ones are opened in the worker, a page at a time.
import { BytesError } from '../protocol/bytes';
import { line, parseEvent, parsePost, type Line } from '../protocol/event';
import { decodeDoorPost, type DoorPost } from '../protocol/frame';
import type { Id } from '../protocol/ids';
import type { Item, OpenItem, SealedItem } from '../protocol/item';
import { parseJsonBytes, SchemaError } from '../protocol/schema';
import type { Opened, OpenedPost, Sealing } from '../sealing/requests';
import type { Fact } from './fact';

const unreadable = (error: unknown): boolean =>
  error instanceof BytesError || error instanceof SchemaError;

function ofOpen(item: OpenItem): Fact {
  const { position, receivedAt: at, id, sender, device, content } = item;
  const placed = { position, at };
  if (content.type === 'event' && sender !== null) {
    const { body } = content.event;
    return {
      ...placed,
      kind: 'event',
      id,
      sender,
      number: null,
      epoch: 0,
      body,
      changedCard: false,
    };
  }
  if (content.type === 'post' && device !== null) {
    const { post } = content;
    return { ...placed, kind: 'post', id, device, post, sealedBy: 'box', oldKey: false };
  }
  if (content.type === 'line') {
    const { line } = content;
    // In the place of what was erased stands a line with its very id.
    if (line.type !== 'erased' || line.target !== id) return { ...placed, kind: 'line', line };
    return {
      ...placed,
      kind: 'stub',
      id,
      reason: 'erased',
      sender,
      number: null,
      by: line.by,
    };
  }
  return { ...placed, kind: 'stub', id, reason: 'unknown', sender, number: null, by: null };
}

function ofWire(item: SealedItem, opened: Opened): Fact {
  const placed = { position: item.position, at: item.receivedAt };
  if (opened.kind === 'malformed') {
    return {
      ...placed,
      kind: 'stub',
      id: null,
      reason: 'unknown',
      sender: null,
      number: null,
      by: null,
    };
  }
  const { id, sender, writer, seq, epoch } = opened;
  const number = { writer, seq };
  if (opened.kind !== 'opened') {
    return { ...placed, kind: 'stub', id, reason: opened.kind, sender, number, by: null };
  }
  try {
    const { body } = parseEvent(opened.body);
    // A tombstone's clear target equals the one inside, and nothing else may claim to erase; what
    // was live is never stored.
    const honest =
      opened.event !== 3 &&
      (opened.event === 2) === (body.type === 'delete') &&
      (body.type !== 'delete' || body.target === opened.target);
    if (honest) {
      const { changedCard } = opened;
      return { ...placed, kind: 'event', id, sender, number, epoch, body, changedCard };
    }
  } catch (error) {
    if (!unreadable(error)) throw error;
  }
  return { ...placed, kind: 'stub', id, reason: 'unknown', sender, number, by: null };
}

function ofPost(item: SealedItem, { device, id }: DoorPost, opened: OpenedPost): Fact {
  const placed = { position: item.position, at: item.receivedAt };
  const stub = { ...placed, kind: 'stub', id, sender: null, number: null, by: null } as const;
  if (opened.kind !== 'opened') return { ...stub, reason: opened.kind };
  try {
    const post = parsePost(opened.plaintext);
    const sealedBy = post.box ? 'box' : 'device';
    // What came before its door was renewed is as it should be.
    const oldKey = opened.renewedAt !== null && item.receivedAt > opened.renewedAt;
    return { ...placed, kind: 'post', id, device, post, sealedBy, oldKey };
  } catch (error) {
    if (!unreadable(error)) throw error;
    return { ...stub, reason: 'unknown' };
  }
}

/** The value, or null where bytes from the box do not read. */
function read<T>(parse: () => T): T | null {
  try {
    return parse();
  } catch (error) {
    if (!unreadable(error)) throw error;
    return null;
  }
}

function ofLine(item: SealedItem): Fact {
  const placed = { position: item.position, at: item.receivedAt };
  const said: Line | null = read(() => parseJsonBytes(line, item.bytes));
  if (said !== null) return { ...placed, kind: 'line', line: said };
  return {
    ...placed,
    kind: 'stub',
    id: null,
    reason: 'unknown',
    sender: null,
    number: null,
    by: null,
  };
}

/** In a sealed room nothing in clear is anybody's word but the box's. */
function ofForged({ position, receivedAt: at, id }: OpenItem): Fact {
  return {
    position,
    at,
    kind: 'stub',
    id,
    reason: 'other_key',
    sender: null,
    number: null,
    by: null,
  };
}

/**
 * Facts of items, in their order. Nothing that the box serves makes it throw. What opens of items from
 * position `keptFrom` on is remembered between reloads: the others are not kept here themselves.
 */
export async function openItems(
  room: Id,
  items: readonly Item[],
  sealing: Sealing,
  isSealed: boolean,
  keptFrom = Number.POSITIVE_INFINITY,
): Promise<Fact[]> {
  const place = ({ position }: Item): number | null => (position >= keptFrom ? position : null);
  const sealed = items.filter((item): item is SealedItem => item.kind === 'sealed');
  const wires = sealed.filter((item) => item.class === 'event');
  const posts = sealed.flatMap((item) => {
    const post = item.class === 'door' ? read(() => decodeDoorPost(item.bytes)) : null;
    return post === null ? [] : [{ item, post }];
  });
  const openedWires =
    wires.length === 0
      ? []
      : await sealing.open(
          room,
          wires.map(({ bytes }) => bytes),
          wires.map(place),
        );
  const openedPosts =
    posts.length === 0
      ? []
      : await sealing.openPosts(
          room,
          posts.map(({ post }) => post),
          posts.map(({ item }) => place(item)),
        );
  const facts = new Map<number, Fact>();
  wires.forEach((item, n) => {
    facts.set(item.position, ofWire(item, openedWires[n] ?? { kind: 'malformed' }));
  });
  posts.forEach(({ item, post }, n) => {
    facts.set(item.position, ofPost(item, post, openedPosts[n] ?? { kind: 'other_key' }));
  });
  return items.map((item) => {
    if (item.kind === 'damaged') return { ...item, at: 0 };
    if (item.kind === 'open') return isSealed ? ofForged(item) : ofOpen(item);
    return facts.get(item.position) ?? ofLine(item);
  });
}
