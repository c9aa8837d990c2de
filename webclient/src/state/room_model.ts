// A room as the list shows it and as the open one is seen, with its members and devices.
import type { AttachmentKind } from './files_model';
import type { Person, RoomRole, RoomType, Sealing } from './model';
import type { Presence } from './people_model';
import type { Readers } from './readers_model';
import type { ReadingView } from './reading_model';
import type { TimelineItem } from './timeline_model';

/** A room in the list. */
export interface RoomSummary {
  readonly id: string;
  readonly name: string;
  readonly type: RoomType;
  readonly sealing: Sealing;
  readonly general: boolean;
  /** Whom a direct chat is with, and whether they are there (null: unknown); null for other rooms. */
  readonly other: { readonly person: Person; readonly presence: Presence | null } | null;
  readonly myRole: RoomRole;
  readonly lastMessageAt: number | null;
  /** The last message in a few words, null while unknown. */
  readonly lastText: string | null;
  readonly lastSender: string | null;
  /** What the last message shows besides its words. */
  readonly lastFiles: AttachmentKind | null;
  readonly unread: number;
  /** How many of the unread ones name this person. */
  readonly mentions: number;
}

/** `waiting`: has joined and nobody has given them the key yet. */
export interface MemberView {
  readonly person: Person;
  readonly role: RoomRole;
  readonly joinedAt: number;
  readonly key: 'open' | 'listed' | 'waiting';
  readonly pin: 'self' | 'unverified' | 'vouched' | 'verified' | 'changed';
}

export interface DeviceView {
  readonly id: string;
  readonly name: string;
  readonly createdAt: number;
  readonly lastPostAt: number | null;
  /** The box seals what it posts in clear into a sealed room. */
  readonly plain: boolean;
  /** What was refused last since the box was started. */
  readonly lastRefused: { readonly message: string; readonly at: number } | null;
}

/** Why nothing can be written at the moment. */
export type RoomBlock =
  /** Not yet listed in the room's epoch: "waiting for a key from someone at home". */
  | 'waiting_for_key'
  /** The box shows two different histories of keys: nothing is sent. */
  | 'room_split'
  /** Somebody's keys changed: sending waits for one tap. */
  | 'changed_keys';

/** The room that is open. */
export interface RoomView {
  readonly room: RoomSummary;
  readonly timeline: readonly TimelineItem[];
  /** Everything up to the room's first event is here. */
  readonly complete: boolean;
  readonly loadingOlder: boolean;
  readonly reading: ReadingView;
  readonly members: readonly MemberView[];
  readonly devices: readonly DeviceView[];
  readonly block: RoomBlock | null;
  /** The epoch in force; 0 in open rooms. */
  readonly epoch: number;
  readonly readers: Readers;
  /** Who is writing right now. */
  readonly typing: readonly Person[];
  /** Up to this position all was read when the room came into view. */
  readonly readTo: number;
  readonly may: {
    readonly invite: boolean;
    /** Delete what others wrote. */
    readonly erase: boolean;
    readonly manageDevices: boolean;
    readonly manageRoom: boolean;
  };
}
