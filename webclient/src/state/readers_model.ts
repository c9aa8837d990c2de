// Who can read a room, and whose keys changed: what the screens get of it.
import type { DeviceView, Person } from './model';

/** Somebody of a sealed room and what is known of their keys. */
export interface Reader {
  readonly person: Person;
  readonly pin: 'self' | 'unverified' | 'vouched' | 'verified' | 'changed';
  /** Since when it is so, ms since 1970; null: nothing is known of them. */
  readonly since: number | null;
  /** Who vouched for the keys, or let the changed ones in. */
  readonly by: Person | null;
  /** The box offers other keys, made then, which nobody here has accepted; null: none. */
  readonly offered: number | null;
}

export interface Readers {
  /** Whether the box reads along. */
  readonly box: boolean;
  /** The epoch in force, since when, who made it and why; 0 and nothing in open rooms. */
  readonly epoch: number;
  readonly since: number;
  readonly by: Person | null;
  readonly reason: string;
  /** Those with the room's key; in an open room all its members. */
  readonly people: readonly Reader[];
  /** With the room's key, though the box does not name them as members. */
  readonly gone: readonly Reader[];
  /** In the room, and nobody has given them the key yet. */
  readonly waiting: readonly Reader[];
  /** Whose keys changed: with the key already, so that sending waits, or offered only. */
  readonly changed: readonly Reader[];
  /** Whom a message names is told to the box, so that it can notify them. */
  readonly hints: boolean;
  /** They write, and read nothing. */
  readonly devices: readonly DeviceView[];
}

/** What a person does about keys. */
export interface KeysActions {
  /** The changed keys of somebody are theirs: the rooms' next epochs list them. */
  readonly accept: (userId: string) => Promise<void>;
  /** Whether the box is told whom messages of a sealed room name; for who manages it. */
  readonly setHints: (roomId: string, on: boolean) => Promise<void>;
  /** A device was lost: new keys of one's own, listed in every room. The password is asked for. */
  readonly renew: (password: string) => Promise<void>;
}
