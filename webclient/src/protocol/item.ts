// A stored event as it comes over REST or on `out`: sealed, or open JSON with what the box knows.
import { fromUtf8 } from './bytes';
import * as events from './event';
import { classOf, decodeFrame, type Class } from './frame';
import type { Id } from './ids';
import * as s from './schema';

/** A stored event of a sealed room. */
export interface SealedItem {
  readonly kind: 'sealed';
  readonly position: number;
  readonly receivedAt: number;
  readonly class: Class;
  readonly bytes: Uint8Array;
}

/** A stored event of an open room. */
export interface OpenItem {
  readonly kind: 'open';
  readonly position: number;
  readonly receivedAt: number;
  readonly id: Id;
  readonly sender: Id | null;
  readonly device: Id | null;
  readonly content:
    | { readonly type: 'event'; readonly event: events.Event }
    | { readonly type: 'post'; readonly post: events.Post }
    | { readonly type: 'line'; readonly line: events.Line }
    | { readonly type: 'unknown' };
}

/** Stored events that do not read on the box's disk. */
export interface DamagedItem {
  readonly kind: 'damaged';
  /** The first one. */
  readonly position: number;
  /** The last one, inclusive. */
  readonly to: number;
}

export type Item = SealedItem | OpenItem | DamagedItem;

const place = { position: s.count, received_at: s.count };
const sealedFields = s.object({ ...place, class: s.count, sealed: s.bytes() });
const openFields = s.object({
  ...place,
  id: s.id,
  sender: s.optional(s.id),
  device: s.optional(s.id),
  type: s.optional(s.text),
});

const postFields = s.object({
  content: s.optional(s.text),
  text: s.optional(s.text),
  title: s.optional(s.text),
  icon: s.optional(s.text),
  priority: s.anything,
});

const LINES = new Set(['joined', 'left', 'role', 'epoch', 'erased', 'room']);
/** `{`: an event from when a sealed room was open; a frame begins with 0. */
const CLEAR = 0x7b;

function openContent(value: unknown, path: string): OpenItem['content'] {
  const { type, sender, device } = openFields(value, path);
  try {
    if (device !== null) {
      const read = postFields(value, path);
      const text = read.text ?? read.content ?? '';
      return { type: 'post', post: events.post({ ...read, text }, path) };
    }
    if (sender !== null) return { type: 'event', event: events.event(value, path) };
    if (type !== null && LINES.has(type)) return { type: 'line', line: events.line(value, path) };
  } catch (error) {
    // Stored long ago, or by a newer program: shown as something this version does not know.
    if (!(error instanceof s.SchemaError)) throw error;
  }
  return { type: 'unknown' };
}

/** An item in parsed JSON. */
export const item: s.Parser<Item> = (value, path) => {
  if ('sealed' in s.record(value, path)) {
    const read = sealedFields(value, path);
    const { position, received_at: receivedAt, sealed: bytes } = read;
    return { kind: 'sealed', position, receivedAt, class: classOf(read.class), bytes };
  }
  const { position, received_at, id, sender, device } = openFields(value, path);
  const content = openContent(value, path);
  return { kind: 'open', position, receivedAt: received_at, id, sender, device, content };
};

const span = s.object({ from: s.count, to: s.count });

/** An entry of a page: an item, or a stretch that does not read. */
export const entry: s.Parser<Item> = (value, path) => {
  if (s.record(value, path)['type'] !== 'damaged') return item(value, path);
  const { from, to } = span(value, path);
  return { kind: 'damaged', position: from, to };
};

/** What comes on a room's `out`: in clear an open room's JSON, else a frame (positions begin with 0). */
export function parseOut(payload: Uint8Array): Item {
  if (payload[0] === CLEAR) return s.parseJson(item, fromUtf8(payload));
  return { kind: 'sealed', ...decodeFrame(payload) };
}
