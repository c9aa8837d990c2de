// What can be completed where one types: people after `@`, rooms after `#`, commands and tones
// after `/`.
import { folded } from '../../protocol/folded';
import type { Person } from '../../state/model';
import type { RoomName } from '../markdown/rooms';
import { TONES, type Tone } from '../markdown/tone';
import type { Command } from './commands';

export type Offer =
  | { readonly kind: 'person'; readonly insert: string; readonly person: Person }
  | { readonly kind: 'room'; readonly insert: string; readonly room: RoomName }
  | { readonly kind: 'command'; readonly insert: string; readonly command: Command }
  | { readonly kind: 'tone'; readonly insert: string; readonly tone: Tone };

/** What there is to complete with. */
export interface Known {
  readonly people: readonly Person[];
  readonly rooms: readonly RoomName[];
  readonly commands: readonly Command[];
}

export interface Completion {
  /** What the chosen offer takes the place of. */
  readonly from: number;
  readonly to: number;
  readonly offers: readonly Offer[];
}

/** People and rooms at most; of commands all that begin so. */
const OFFERS_MAX = 6;

function people(start: string, everybody: readonly Person[]): Offer[] {
  const wanted = folded(start);
  return everybody
    .filter(({ name, displayName }) =>
      [name, ...displayName.split(/\s+/)].some((word) => folded(word).startsWith(wanted)),
    )
    .map((person): Offer => ({ kind: 'person', insert: `@${person.name} `, person }))
    .slice(0, OFFERS_MAX);
}

/** What can stand where the caret is; null where nothing can. */
export function completionAt(text: string, caret: number, known: Known): Completion | null {
  const before = text.slice(0, caret);
  // In the middle of a word nothing is completed.
  if (/^\w/.test(text.slice(caret))) return null;
  const [, sign, start] = /(?:^|[\s(])([@#/])([\p{L}\p{N}_]*)$/u.exec(before) ?? [];
  if (sign === undefined || start === undefined) return null;
  const from = caret - start.length - 1;
  const offers = offered(sign, start, from === 0, known);
  return offers.length === 0 ? null : { from, to: caret, offers };
}

function offered(sign: string, start: string, first: boolean, known: Known): Offer[] {
  if (sign === '@') return people(start, known.people);
  if (sign === '#') return rooms(start, known.rooms);
  return first ? commands(start, known.commands) : tones(start);
}

function rooms(start: string, known: readonly RoomName[]): Offer[] {
  const wanted = folded(start);
  return known
    .filter(({ name }) => name.split(/\s+/).some((word) => folded(word).startsWith(wanted)))
    .map((room): Offer => ({ kind: 'room', insert: `#${room.name} `, room }))
    .slice(0, OFFERS_MAX);
}

const commands = (start: string, known: readonly Command[]): Offer[] =>
  known
    .filter((command) => command.startsWith(start))
    .map((command) => ({
      kind: 'command',
      insert: `/${command} `,
      command,
    }));

const tones = (start: string): Offer[] =>
  TONES.filter(({ form }) => form.slice(1).startsWith(start.toLowerCase())).map(
    ({ tone, form }) => ({ kind: 'tone', insert: `${form} `, tone }),
  );
