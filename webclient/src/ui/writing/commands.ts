// What a text that begins with a slash means: text, something to open, or something to do.
import { may, type RoomAction } from '../../state/may';
import type { RoomSummary } from '../../state/model';
import type { Notify } from '../../state/people_model';

export const COMMANDS = [
  'me',
  'shrug',
  'msg',
  'invite',
  'people',
  'devices',
  'search',
  'settings',
  'status',
  'away',
  'busy',
  'here',
  'notify',
  'topic',
  'rename',
  'kick',
  'mute',
  'unmute',
  'ban',
  'unban',
  'leave',
  'join',
  'help',
] as const;
export type Command = (typeof COMMANDS)[number];

/** What is done on the box. Names of people are without `@`; `minutes` null: until it is lifted. */
export type Deed =
  | { readonly what: 'topic' | 'rename' | 'status' | 'join'; readonly text: string }
  | { readonly what: 'away' | 'busy' | 'here' | 'leave' }
  | { readonly what: 'notify'; readonly notify: Notify }
  | { readonly what: 'msg' | 'unmute' | 'unban'; readonly name: string }
  | { readonly what: 'kick'; readonly name: string; readonly reason: string }
  | {
      readonly what: 'mute' | 'ban';
      readonly name: string;
      readonly minutes: number | null;
      readonly reason: string;
    };

/** What lies over the room, and not beside it. */
export type Overlay = 'help' | 'join';
export type Opening = 'invite' | 'people' | 'devices' | 'search' | 'settings' | Overlay;

export type Written =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'open'; readonly what: Opening }
  | { readonly kind: 'deed'; readonly deed: Deed }
  /** Something is missing behind a command, or is not what it takes. */
  | { readonly kind: 'incomplete'; readonly command: Command }
  | { readonly kind: 'unknown'; readonly name: string };

/** What a member must be allowed to in a room for a command to be of use. */
const NEEDS: Partial<Readonly<Record<Command, RoomAction>>> = {
  invite: 'invite',
  topic: 'manageRoom',
  rename: 'manageRoom',
  kick: 'removeMember',
  mute: 'moderate',
  unmute: 'moderate',
  ban: 'moderate',
  unban: 'moderate',
};

/** The commands that work for this person in this room. */
export function commandsIn({ myRole, type, general }: RoomSummary): Command[] {
  return COMMANDS.filter((command) => {
    const action = NEEDS[command];
    if (general && (command === 'leave' || command === 'kick')) return false;
    return action === undefined || may(myRole, action, type);
  });
}

const SHRUG = '¯\\\\\\_(ツ)\\_/¯';
const MINUTES: Readonly<Record<string, number>> = { m: 1, h: 60, d: 1_440 };
const NOTIFY: Readonly<Record<string, Notify>> = {
  all: 'all',
  mentions: 'mentions',
  none: 'muted',
  muted: 'muted',
};

/** `@name 2h the reason` → its parts; null without a name. */
function sentence(words: string): { name: string; minutes: number | null; reason: string } | null {
  const [, name, count, unit, reason] =
    /^@?(\w+)(?:\s+(\d{1,4})([mhd])(?=\s|$))?(?:\s+([^]*))?$/.exec(words) ?? [];
  if (name === undefined) return null;
  const minutes = Number(count ?? 0) * (MINUTES[unit ?? ''] ?? 0);
  return { name, minutes: minutes === 0 ? null : minutes, reason: (reason ?? '').trim() };
}

function deedOf(what: Command, words: string): Deed | null {
  switch (what) {
    case 'topic':
    case 'status':
      return { what, text: words };
    case 'rename':
      return words === '' ? null : { what, text: words };
    case 'away':
    case 'busy':
    case 'here':
    case 'leave':
      return words === '' ? { what } : null;
    case 'notify': {
      const notify = NOTIFY[words];
      return notify === undefined ? null : { what, notify };
    }
    case 'msg':
    case 'unmute':
    case 'unban': {
      const [, name] = /^@?(\w+)$/.exec(words) ?? [];
      return name === undefined ? null : { what, name };
    }
    case 'kick': {
      const [, name, reason = ''] = /^@?(\w+)(?:\s+([^]*))?$/.exec(words) ?? [];
      return name === undefined ? null : { what, name, reason: reason.trim() };
    }
    case 'mute':
    case 'ban': {
      const parts = sentence(words);
      return parts === null ? null : { what, ...parts };
    }
    default:
      return null;
  }
}

const isCommand = (name: string): name is Command => COMMANDS.some((one) => one === name);

/** What is sent or done for a typed text. Two slashes write one. */
export function written(typed: string): Written {
  const text = typed.trim();
  if (text.startsWith('//')) return { kind: 'text', text: text.slice(1) };
  const [, name, rest] = /^\/([a-z]+)(?:\s+([^]*))?$/.exec(text) ?? [];
  if (name === undefined) return { kind: 'text', text };
  if (!isCommand(name)) return { kind: 'unknown', name };
  const words = (rest ?? '').trim();
  switch (name) {
    case 'join':
      if (words === '') return { kind: 'open', what: name };
      return { kind: 'deed', deed: { what: name, text: words.replace(/^#/, '') } };
    case 'me':
      // Each line for itself: what is stressed does not reach over an empty one.
      return { kind: 'text', text: words.replace(/^.*\S.*$/gm, (line) => `*${line.trim()}*`) };
    case 'shrug':
      return { kind: 'text', text: `${words} ${SHRUG}`.trim() };
    case 'invite':
    case 'people':
    case 'devices':
    case 'search':
    case 'settings':
    case 'help':
      return { kind: 'open', what: name };
    default: {
      const deed = deedOf(name, words);
      return deed === null ? { kind: 'incomplete', command: name } : { kind: 'deed', deed };
    }
  }
}
