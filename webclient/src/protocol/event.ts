// What travels in a room: the JSON of a person's event, a device's post, the box's lines.
import { attachment, attachmentJson, FILES_MAX, type Attachment } from './attachment';
import { BytesError, fromUtf8, utf8 } from './bytes';
import type { Id } from './ids';
import * as s from './schema';

/** What an event says. */
export type Body =
  | {
      readonly type: 'message';
      readonly content: string;
      readonly parentId: Id | null;
      readonly mentions: readonly Id[];
      readonly attachments: readonly Attachment[];
      /** A tone indicator beside the text, such as `/s`. */
      readonly tone: string | null;
    }
  | { readonly type: 'edit'; readonly target: Id; readonly content: string }
  | { readonly type: 'react'; readonly target: Id; readonly emoji: string; readonly on: boolean }
  | { readonly type: 'delete'; readonly target: Id; readonly reason: string | null }
  | { readonly type: 'room'; readonly title: string | null; readonly topic: string | null };

/** An event as its sender wrote it. `at`: the sender's clock, ms since 1970. */
export interface Event {
  readonly id: Id | null;
  readonly at: number | null;
  readonly body: Body;
}

/** Characters of a message (seed 004). */
export const MESSAGE_CHARS_MAX = 10_000;
/** Bytes of an event or a door post on the wire. */
export const EVENT_BYTES_MAX = 65_536;

const content: s.Parser<string> = (value, path) => {
  const found = s.text(value, path);
  if ([...found].length > MESSAGE_CHARS_MAX) {
    throw new s.SchemaError(path, `a text of at most ${MESSAGE_CHARS_MAX} characters`);
  }
  return found;
};

const head = s.object({ id: s.optional(s.id), at: s.optional(s.count), type: s.optional(s.text) });
const message = s.object({
  content,
  parent_id: s.optional(s.id),
  mentions: s.withDefault(s.list(s.id, 1_000), []),
  attachments: s.withDefault(s.list(attachment, FILES_MAX), []),
  tone: s.optional(s.text),
});
const edit = s.object({ target: s.id, content });
const react = s.object({ target: s.id, emoji: s.text, on: s.flag });
const erase = s.object({ target: s.id, reason: s.optional(s.text) });
const room = s.object({ title: s.optional(s.text), topic: s.optional(s.text) });

function parseBody(type: string | null, value: unknown, path: string): Body {
  switch (type) {
    case null:
    case 'message': {
      const { parent_id, ...rest } = message(value, path);
      return { type: 'message', parentId: parent_id, ...rest };
    }
    case 'edit':
      return { type, ...edit(value, path) };
    case 'react':
      return { type, ...react(value, path) };
    case 'delete':
      return { type, ...erase(value, path) };
    case 'room':
      return { type, ...room(value, path) };
    default:
      throw new s.SchemaError(`${path}.type`, 'an event this version knows');
  }
}

/** An event in parsed JSON. */
export const event: s.Parser<Event> = (value, path) => {
  const { id, at, type } = head(value, path);
  return { id, at, body: parseBody(type, value, path) };
};

/** The event in a sealed body: JSON followed by spaces. */
export function parseEvent(body: Uint8Array): Event {
  return s.parseJsonBytes(event, body);
}

/** The JSON of an event, as it is sealed or published. */
export function eventJson(sent: Event): Uint8Array {
  const { body } = sent;
  const fields: Record<string, unknown> =
    body.type === 'message'
      ? {
          type: body.type,
          content: body.content,
          ...(body.parentId === null ? {} : { parent_id: body.parentId }),
          ...(body.mentions.length === 0 ? {} : { mentions: body.mentions }),
          ...(body.attachments.length === 0
            ? {}
            : { attachments: body.attachments.map(attachmentJson) }),
          ...(body.tone === null ? {} : { tone: body.tone }),
        }
      : Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
  return utf8(
    JSON.stringify({ ...(sent.id === null ? {} : { id: sent.id }), at: sent.at, ...fields }),
  );
}

/** A device's post. */
export interface Post {
  readonly text: string;
  readonly title: string | null;
  readonly icon: string | null;
  readonly priority: 'low' | 'normal' | 'high';
  /** The box sealed it for a device that cannot, and saw it (sealing.md §5). */
  readonly box: boolean;
}

const priority: s.Parser<Post['priority']> = (value) => {
  if (value === 'low' || value === 'high') return value;
  if (typeof value === 'number') return value < 3 ? 'low' : value > 3 ? 'high' : 'normal';
  return 'normal';
};

/** The fields of a post in JSON; whatever else a device writes is ignored. */
export const post = s.object({
  text: s.text,
  title: s.optional(s.text),
  icon: s.optional(s.text),
  priority,
  box: (value) => value === true,
});

/** A door's plaintext: JSON with `text`, else the text itself. */
export function parsePost(plaintext: Uint8Array): Post {
  const text = fromUtf8(plaintext).trim();
  if (text.startsWith('{')) {
    try {
      return s.parseJson(post, text);
    } catch (error) {
      if (!(error instanceof s.SchemaError) && !(error instanceof BytesError)) throw error;
    }
  }
  return { text, title: null, icon: null, priority: 'normal', box: false };
}

/** A line that the box writes into a room. */
export interface Line {
  readonly type: 'joined' | 'left' | 'role' | 'epoch' | 'erased' | 'room';
  readonly id: Id | null;
  readonly user: Id | null;
  readonly by: Id | null;
  readonly role: 'owner' | 'admin' | 'member' | null;
  readonly epoch: number | null;
  readonly target: Id | null;
}

export const line: s.Parser<Line> = s.object({
  type: s.oneOf('joined', 'left', 'role', 'epoch', 'erased', 'room'),
  id: s.optional(s.id),
  user: s.optional(s.id),
  by: s.optional(s.id),
  role: s.optional(s.oneOf('owner', 'admin', 'member')),
  epoch: s.optional(s.u32Number),
  target: s.optional(s.id),
});

/** Somebody writes, or stopped: told live, never stored. */
export interface Typing {
  readonly type: 'typing';
  readonly on: boolean;
}

export const typing: s.Parser<Typing> = s.object({
  type: s.oneOf('typing'),
  on: s.withDefault(s.flag, true),
});

/** The JSON of a live notice. */
export const typingJson = (on: boolean): Uint8Array => utf8(JSON.stringify({ type: 'typing', on }));
