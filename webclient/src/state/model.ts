// What the user interface sees: one immutable state, and the actions that change it. No DOM here.
import type { KeysActions, Readers } from './readers_model';
import type { AttachmentItem, AttachmentKind, FilesApp } from './files_model';
import type { AccountActions, AccountState, RecoverySheet } from './account_model';
import type { Reading, ReadingView } from './reading_model';

import type { PeopleDesk } from './people_model';

/** Something went wrong; `message` says what, `hint` what now. Every action rejects with this. */
export interface Problem {
  /** A word for programs: `wrong_login`, `invite_used_up`, `offline` … */
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Which screen: `loading` until the local data is read. */
export type Phase = 'loading' | 'setup' | 'join' | 'login' | 'ready';

export type HouseRole = 'owner' | 'admin' | 'member' | 'guest' | 'device' | 'bot';
export type RoomRole = 'owner' | 'admin' | 'member';
export type RoomType = 'public' | 'private' | 'direct';
export type Sealing = 'sealed' | 'open';

/** A person of the house. */
export interface Person {
  readonly id: string;
  readonly name: string;
  /** Never empty: the name where no display name is set. */
  readonly displayName: string;
  readonly role: HouseRole;
}

export type Connection =
  /** `retryAt`: ms since 1970 of the next try, null when the browser says there is no network. */
  | { readonly kind: 'offline'; readonly retryAt: number | null }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  /** The box said no (`reason`), or another tab leads (`code` "other_tab"). */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string };

/** How far an own message is. `stored` = on the box's disk. */
export type Delivery =
  | { readonly kind: 'queued' }
  | { readonly kind: 'sealing' }
  | { readonly kind: 'sending' }
  | { readonly kind: 'stored' }
  | { readonly kind: 'failed'; readonly problem: Problem };

export interface Reaction {
  readonly emoji: string;
  /** In the order of reacting. */
  readonly by: readonly Person[];
  readonly mine: boolean;
}

/** What a message answers. `away`: not read here yet, or gone with old history. */
export type Quote =
  | {
      readonly kind: 'message';
      readonly id: string;
      readonly sender: Person;
      readonly text: string;
      readonly files: AttachmentKind | null;
      readonly deleted: boolean;
    }
  | { readonly kind: 'post'; readonly id: string; readonly device: string; readonly text: string }
  | { readonly kind: 'away'; readonly id: string };

/** A text that a message had, from `at` on. */
export interface Version {
  readonly text: string;
  readonly at: number;
}

/** An own edit or reaction that is not stored yet. `id` is its own, for `retry` and `discard`. */
export interface Change {
  readonly id: string;
  readonly what: 'edit' | 'reaction';
  readonly delivery: Delivery;
}

/** How far a stored message of one's own is with the others of the room. */
export interface Reach {
  /** `delivered`, `read`: with all of them. */
  readonly kind: 'stored' | 'delivered' | 'read';
  readonly readBy: readonly Person[];
  readonly deliveredTo: readonly Person[];
}

/** Marks that a reader must see on a message. */
export type Mark =
  /** A known sequence number under another id: sent twice from a copied device. */
  | 'copied_writer'
  /** Sealed under an epoch that was already replaced. */
  | 'old_key'
  /** The sender's card changed since this person was first seen. */
  | 'changed_card';

/** A message of a person. */
export interface MessageItem {
  readonly kind: 'message';
  /** Stable over its whole life, use as key. */
  readonly id: string;
  /** Null while it is only here. */
  readonly position: number | null;
  /** The box's clock once stored, until then this browser's; ms since 1970. */
  readonly at: number;
  readonly sender: Person;
  readonly own: boolean;
  /** Empty when deleted. */
  readonly text: string;
  readonly attachments: readonly AttachmentItem[];
  readonly edited: boolean;
  /** All texts it had, the current one last; empty unless edited. */
  readonly versions: readonly Version[];
  readonly deleted: boolean;
  /** Who deleted it, null while unknown. */
  readonly deletedBy: Person | null;
  readonly parentId: string | null;
  readonly quote: Quote | null;
  readonly mentionsMe: boolean;
  /** The tone indicator that came beside the text; those in the text stay there. */
  readonly tone: string | null;
  readonly reactions: readonly Reaction[];
  readonly marks: readonly Mark[];
  /** Own messages of this browser, else `stored`. */
  readonly delivery: Delivery;
  readonly change: Change | null;
  /** Own stored messages, else null. */
  readonly reach: Reach | null;
}

/** How long after storing a message its text can be changed (design §5). */
export const EDIT_MS = 15 * 60_000;

/** A post of a device: never looks like a person's. */
export interface PostItem {
  readonly kind: 'post';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly device: { readonly id: string; readonly name: string };
  readonly title: string | null;
  readonly text: string;
  readonly icon: string | null;
  readonly priority: 'low' | 'normal' | 'high';
  /** `device`: sealed by the device; `box`: the box saw it (open rooms). */
  readonly sealedBy: 'device' | 'box';
  /** Sealed to an older door key: the device needs the new line. */
  readonly oldKey: boolean;
  readonly reactions: readonly Reaction[];
}

/** A line of the box. `person` and `by` are null where they do not apply. */
export interface LineItem {
  readonly kind: 'line';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly line: 'joined' | 'left' | 'role' | 'epoch' | 'erased';
  readonly person: Person | null;
  readonly by: Person | null;
  readonly role: RoomRole | null;
  readonly epoch: number | null;
}

/** Something that is there and cannot be shown. */
export interface StubItem {
  readonly kind: 'stub';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly reason:
    /** Its epoch's key is not here (yet). */
    | 'waiting_for_key'
    /** Does not open under a known epoch. */
    | 'other_key'
    /** Opens, but is no event this program understands. */
    | 'unknown'
    /** Erased on the box. */
    | 'erased';
  readonly sender: Person | null;
  /** Who erased it, where that is known. */
  readonly by: Person | null;
}

/** `count` messages of one person's device never came. */
export interface GapItem {
  readonly kind: 'gap';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly count: number;
  readonly sender: Person;
}

/** `count` events that do not read on the box's disk; `at` is that of the item before. */
export interface DamagedItem {
  readonly kind: 'damaged';
  readonly id: string;
  readonly position: number;
  readonly at: number;
  readonly count: number;
}

export type TimelineItem = MessageItem | PostItem | LineItem | StubItem | GapItem | DamagedItem;

/** A room in the list. */
export interface RoomSummary {
  readonly id: string;
  readonly name: string;
  readonly type: RoomType;
  readonly sealing: Sealing;
  readonly general: boolean;
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

/** What the join screen shows of an invite. */
export interface Invitation {
  readonly code: string;
  readonly house: string;
  readonly inviter: string;
  readonly rooms: readonly string[];
  readonly expiresAt: number;
}

/** What takes long enough to be said. */
export type Work = 'password' | 'identity' | 'sending' | 'reading';

export interface AppState {
  readonly phase: Phase;
  /** The house's name, null while unknown. */
  readonly house: string | null;
  readonly me: Person | null;
  readonly connection: Connection;
  /** Own messages that are not stored yet. */
  readonly waiting: number;
  /** Sorted by last message, newest first. */
  readonly rooms: readonly RoomSummary[];
  readonly currentRoom: RoomView | null;
  readonly invitation: Invitation | null;
  readonly recoverySheet: RecoverySheet | null;
  readonly account: AccountState;
  /** What an action is busy with, null when nothing. */
  readonly working: Work | null;
  /** Something that happened without an action: shown until dismissed. */
  readonly problem: Problem | null;
}

export interface InviteLink {
  readonly link: string;
  readonly expiresAt: number;
  readonly uses: number;
}

/** A new device: the token is shown once. */
export interface NewDevice {
  readonly id: string;
  readonly name: string;
  readonly token: string;
  /** Ready to paste into a shell. */
  readonly line: string;
}

export interface SetUp {
  readonly house: string;
  readonly name: string;
  readonly password: string;
}
export interface Credentials {
  readonly name: string;
  readonly password: string;
}
export interface NewRoom {
  readonly name: string;
  readonly type: 'public' | 'private';
  readonly sealing: Sealing;
}

/** The application. `subscribe` is Svelte's store contract: `$app` in a component is the state. */
export interface App {
  /** People, alerts, rooms' settings. */
  readonly people: PeopleDesk;
  readonly state: AppState;
  readonly files: FilesApp;
  readonly account: AccountActions;
  subscribe(run: (state: AppState) => void): () => void;

  /** Reads the local data, finds out which screen comes first, connects. */
  start(): Promise<void>;
  setUp(input: SetUp): Promise<void>;
  /** A newcomer by the invite in the address. */
  join(input: Credentials): Promise<void>;
  /** The invite in the address, for someone who has an account: signs in first when needed. */
  loginAndAccept(input: Credentials): Promise<void>;
  login(input: Credentials): Promise<void>;
  logout(): Promise<void>;
  /** Leaves the join screen for the login screen and back. */
  show(phase: 'join' | 'login'): void;
  recoverySheetKept(): void;
  dismissProblem(): void;
  /** Makes this tab the one that holds the connection (`refused` with code `other_tab`). */
  takeOver(): void;

  openRoom(id: string): Promise<void>;
  /** Phone: back to the list. */
  closeRoom(): void;
  createRoom(input: NewRoom): Promise<string>;
  /** What goes wrong here, in `react`, `retry` and `discard` is told by `problem`. */
  loadOlder(): Promise<void>;
  readonly reading: Reading;
  /** Into the open room; resolves when it lies in the outbox. */
  send(text: string, parentId?: string): Promise<void>;
  /** Within 15 minutes of storing. */
  edit(target: string, text: string): Promise<void>;
  react(target: string, emoji: string, on: boolean): Promise<void>;
  /** Deletes for everyone; what has not gone out is only taken back. Needs the box. */
  remove(target: string): Promise<void>;
  /** Tells the others of the open room that one is writing, or no longer. */
  typing(on: boolean): void;
  retry(id: string): Promise<void>;
  /** Takes a failed or queued own message out of the outbox. */
  discard(id: string): Promise<void>;
  /** What was typed and not sent; survives reload, sealed at rest. */
  draft(roomId: string): string;
  keepDraft(roomId: string, text: string): void;

  makeInvite(roomId: string, uses?: number): Promise<InviteLink>;
  addDevice(roomId: string, name: string): Promise<NewDevice>;
  removeDevice(roomId: string, deviceId: string): Promise<void>;
  readonly keys: KeysActions;
}

export type { Entry } from './entry';
export type { RecoverySheet };
