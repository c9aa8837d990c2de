// What can be completed where one types: people after `@`, commands and tones after `/`.
import { folded } from '../../protocol/folded';
import type { Person } from '../../state/model';
import { TONES, type Tone } from '../markdown/tone';
import { COMMANDS, type Command } from './commands';

export type Offer =
  | { readonly kind: 'person'; readonly insert: string; readonly person: Person }
  | { readonly kind: 'command'; readonly insert: string; readonly command: Command }
  | { readonly kind: 'tone'; readonly insert: string; readonly tone: Tone };

export interface Completion {
  /** What the chosen offer takes the place of. */
  readonly from: number;
  readonly to: number;
  readonly offers: readonly Offer[];
}

const OFFERS_MAX = 6;

function people(start: string, everybody: readonly Person[]): Offer[] {
  const wanted = folded(start);
  return everybody
    .filter(({ name, displayName }) =>
      [name, ...displayName.split(/\s+/)].some((word) => folded(word).startsWith(wanted)),
    )
    .map((person) => ({ kind: 'person', insert: `@${person.name} `, person }));
}

/** What can stand where the caret is; null where nothing can. */
export function completionAt(
  text: string,
  caret: number,
  everybody: readonly Person[],
): Completion | null {
  const before = text.slice(0, caret);
  // In the middle of a word nothing is completed.
  if (/^\w/.test(text.slice(caret))) return null;
  const [, sign, start] = /(?:^|[\s(])([@/])(\w*)$/.exec(before) ?? [];
  if (sign === undefined || start === undefined) return null;
  const from = caret - start.length - 1;
  const offers =
    sign === '@' ? people(start, everybody) : from === 0 ? commands(start) : tones(start);
  if (offers.length === 0) return null;
  return { from, to: caret, offers: offers.slice(0, OFFERS_MAX) };
}

const commands = (start: string): Offer[] =>
  COMMANDS.filter((command) => command.startsWith(start)).map((command) => ({
    kind: 'command',
    insert: `/${command} `,
    command,
  }));

const tones = (start: string): Offer[] =>
  TONES.filter(({ form }) => form.slice(1).startsWith(start.toLowerCase())).map(
    ({ tone, form }) => ({ kind: 'tone', insert: `${form} `, tone }),
  );
