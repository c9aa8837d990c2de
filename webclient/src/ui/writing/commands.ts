// What a text that begins with a slash means: a few commands, only such as work.

/** Commands that change the text, and commands that open something. */
export const COMMANDS = ['me', 'shrug', 'invite', 'people', 'devices', 'help'] as const;
export type Command = (typeof COMMANDS)[number];

export type Written =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'open'; readonly what: 'invite' | 'people' | 'devices' | 'help' }
  | { readonly kind: 'unknown'; readonly name: string };

const SHRUG = '¯\\\\\\_(ツ)\\_/¯';

/** What is sent or done for a typed text. Two slashes write one. */
export function written(typed: string): Written {
  const text = typed.trim();
  if (text.startsWith('//')) return { kind: 'text', text: text.slice(1) };
  const [, name, rest] = /^\/([a-z]+)(?:\s+([^]*))?$/.exec(text) ?? [];
  if (name === undefined) return { kind: 'text', text };
  const words = (rest ?? '').trim();
  switch (name) {
    case 'me':
      // Each line for itself: what is stressed does not reach over an empty one.
      return { kind: 'text', text: words.replace(/^.*\S.*$/gm, (line) => `*${line.trim()}*`) };
    case 'shrug':
      return { kind: 'text', text: `${words} ${SHRUG}`.trim() };
    case 'invite':
    case 'people':
    case 'devices':
    case 'help':
      return { kind: 'open', what: name };
    default:
      return { kind: 'unknown', name };
  }
}
