// The topics of Hearth (design §4): the only place where an id becomes a topic and back.
import { isId, type Id } from './ids';

export const roomIn = (room: Id): string => `hearth/rooms/${room}/in`;
export const ALL_OUT = 'hearth/rooms/+/out';
export const ALL_KEYS = 'hearth/rooms/+/key';
export const ALL_LIVE = 'hearth/rooms/+/live/+';
export const ALL_RECEIPTS = 'hearth/rooms/+/receipts';
export const ALL_PRESENCE = 'hearth/users/+/presence';
export const STATUS = 'hearth/status';
export const inbox = (user: Id): string => `hearth/users/${user}/inbox`;
export const live = (room: Id, user: Id): string => `hearth/rooms/${room}/live/${user}`;
export const read = (room: Id, user: Id): string => `hearth/rooms/${room}/read/${user}`;
export const door = (room: Id, device: Id): string => `hearth/rooms/${room}/door/${device}`;

/** What a topic that this client listens to stands for. */
export type Heard =
  | { readonly kind: 'out'; readonly room: Id }
  | { readonly kind: 'key'; readonly room: Id }
  | { readonly kind: 'receipts'; readonly room: Id }
  | { readonly kind: 'live'; readonly room: Id; readonly user: Id }
  | { readonly kind: 'inbox'; readonly user: Id }
  | { readonly kind: 'presence'; readonly user: Id }
  | { readonly kind: 'status' };

/** Reads a topic; null for anything this client does not listen to. */
export function parseTopic(name: string): Heard | null {
  if (name === STATUS) return { kind: 'status' };
  const [prefix, family, owner, leaf, last, ...more] = name.split('/');
  if (prefix !== 'hearth' || owner === undefined || !isId(owner) || more.length > 0) return null;
  if (family === 'rooms' && leaf === 'live' && last !== undefined) {
    return isId(last) ? { kind: leaf, room: owner, user: last } : null;
  }
  if (last !== undefined) return null;
  if (family === 'rooms' && (leaf === 'out' || leaf === 'key' || leaf === 'receipts')) {
    return { kind: leaf, room: owner };
  }
  if (family === 'users' && (leaf === 'inbox' || leaf === 'presence')) {
    return { kind: leaf, user: owner };
  }
  return null;
}
