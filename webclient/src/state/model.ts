// What the user interface sees: one immutable state, and the actions that change it. No DOM here.
import type { Administration } from './administration_model';
import type { AccountActions, AccountState, RecoverySheet } from './account_model';
import type { FilesApp } from './files_model';
import type { Looks } from './looks_model';
import type { PeopleDesk } from './people_model';
import type { KeysActions } from './readers_model';
import type { Reading } from './reading_model';
import type { RoomSummary, RoomView } from './room_model';

export type * from './room_model';
export * from './timeline_model';

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
  /** Their picture's attachment. */
  readonly avatar: string | null;
}

export type Connection =
  /** `retryAt`: ms since 1970 of the next try, null when the browser says there is no network. */
  | { readonly kind: 'offline'; readonly retryAt: number | null }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  /** The box said no (`reason`), or another tab leads (`code` "other_tab"). */
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string };

/** What the join screen shows of an invite. */
export interface Invitation {
  readonly code: string;
  readonly house: string;
  readonly inviter: string;
  readonly rooms: readonly string[];
  readonly expiresAt: number;
  /** ms since 1970: whoever comes in by it is a guest until then; null: lives in the house. */
  readonly guestUntil: number | null;
  /** A name is enough: a guest's, into open rooms. */
  readonly visit: boolean;
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

/** A line by which a device posts. `local`: only on the box itself. */
export interface DeviceLine {
  readonly kind: 'mqtt' | 'mqtts' | 'http' | 'https';
  readonly local: boolean;
  readonly line: string;
}

/** How a device posts. */
export interface DeviceLines {
  /** Ready to paste into a shell, the plainest first. */
  readonly lines: readonly DeviceLine[];
  /** Those over TLS want the house's certificate, ca.crt, beside them. */
  readonly ca: boolean;
  /** It seals its posts itself. */
  readonly seals: boolean;
}

/** A new device: the token is shown once. */
export interface NewDevice extends DeviceLines {
  readonly id: string;
  readonly name: string;
  readonly token: string;
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
  /** What it is about. */
  readonly topic?: string;
}

/** The application. `subscribe` is Svelte's store contract: `$app` in a component is the state. */
export interface App {
  /** People, alerts, rooms' settings. */
  readonly people: PeopleDesk;
  readonly state: AppState;
  readonly files: FilesApp;
  readonly account: AccountActions;
  /** Running the house, for its owner and admins; loaded when it is asked for. */
  administration(): Promise<Administration>;
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
  /**
   * Into the open room, with the files in its tray or in that of `thread`; resolves when it lies in
   * the outbox.
   */
  send(text: string, parentId?: string, thread?: string): Promise<void>;
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

  /** `guestDays`: for guests, who stay so long; else for people who will live in the house. */
  makeInvite(roomId: string, uses?: number, guestDays?: number): Promise<InviteLink>;
  /** `plain`: it cannot seal, so the box does it and sees what it posts; in sealed rooms. */
  addDevice(roomId: string, name: string, plain?: boolean): Promise<NewDevice>;
  /** As they are by the room's current key; they say TOKEN where its token belongs. */
  deviceLines(roomId: string, deviceId: string): Promise<DeviceLines>;
  /** Whether the box seals what this device posts in clear into its sealed room. */
  sealForDevice(roomId: string, deviceId: string, plain: boolean): Promise<void>;
  removeDevice(roomId: string, deviceId: string): Promise<void>;
  readonly keys: KeysActions;
  readonly looks: Looks;
}

export type { Entry } from './entry';
export type { RecoverySheet };
