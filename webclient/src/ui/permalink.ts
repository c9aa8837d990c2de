// The address of a room, /#/rooms/{room}, and of a message in it: …/m/{position, or its id}.
import { isId } from '../protocol/ids';
import type { Spot } from '../state/reading_model';

export interface Target {
  readonly room: string;
  /** Null: the room itself. */
  readonly spot: Spot | null;
}

/** The address of a room within this house. */
export const roomAddress = (room: string): string => `/#/rooms/${room}`;

/** The address of a stored message. */
export const permalink = (origin: string, room: string, position: number): string =>
  `${origin}/#/rooms/${room}/m/${position}`;

/** Where an address's fragment leads; null when it is not one of these. */
export function targetOf(fragment: string): Target | null {
  const [, room, place] = /^#\/rooms\/([^/]+)(?:\/m\/([^/]+))?$/.exec(fragment) ?? [];
  if (room === undefined || !isId(room)) return null;
  if (place === undefined) return { room, spot: null };
  if (/^[1-9]\d{0,14}$/.test(place)) {
    return { room, spot: { kind: 'position', position: Number(place) } };
  }
  return isId(place) ? { room, spot: { kind: 'item', id: place } } : null;
}

/** The same of a whole address of this house; null for all others. */
export function targetOfLink(href: string, origin: string): Target | null {
  if (!URL.canParse(href)) return null;
  const url = new URL(href);
  return url.origin === origin && url.pathname === '/' ? targetOf(url.hash) : null;
}
