// What the screens see of people, of alerts and of a room's keeping, and what they may do there.
import type { Comparison } from '../sealing/requests';
import type { InviteLink, MemberView, Person, RoomRole } from './model';

export type { Comparison };

export type Presence = 'online' | 'away' | 'busy' | 'offline';

/** `asked`: I asked them; `asks`: they ask me. */
export type ContactState = 'none' | 'asked' | 'asks' | 'accepted';

/** Somebody of the house, as far as one may see them. */
export interface Profile {
  readonly person: Person;
  readonly statusText: string;
  /** Null while unknown. */
  readonly presence: Presence | null;
  /** ms since 1970. */
  readonly lastSeen: number | null;
  readonly contact: ContactState;
  /** One can write to them directly. */
  readonly mayWrite: boolean;
  /** I block them. */
  readonly blocked: boolean;
  readonly pin: MemberView['pin'];
}

export type NoticeKind = 'mention' | 'reply' | 'room_invite' | 'direct_message';

/** Something one was alerted to. */
export interface Notice {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly room: string;
  /** Null for a room that is not here any more. */
  readonly roomName: string | null;
  readonly message: string | null;
  readonly by: Person | null;
  /** Null: it was not opened here, or is gone. */
  readonly text: string | null;
  /** ms since 1970. */
  readonly at: number;
  readonly read: boolean;
}

/** A message that is worth a word outside the page. */
export interface Alert {
  readonly kind: 'mention' | 'direct_message';
  readonly room: string;
  readonly roomName: string;
  readonly message: string;
  readonly by: Person;
  readonly text: string;
}

export interface PeopleState {
  /** Everybody one may see, by name, without oneself. */
  readonly everyone: readonly Profile[];
  /** The newest first. */
  readonly notices: readonly Notice[];
  readonly unread: number;
  /** There are older notices on the box. */
  readonly olderNotices: boolean;
}

export const NOBODY: PeopleState = { everyone: [], notices: [], unread: 0, olderNotices: false };

/** A mute or a ban. */
export interface SentenceView {
  readonly person: Person;
  readonly by: Person;
  readonly at: number;
  readonly reason: string;
  /** Null: until it is lifted. */
  readonly until: number | null;
}

export interface Sentences {
  readonly mutes: readonly SentenceView[];
  readonly bans: readonly SentenceView[];
}

/** `minutes` null: until it is lifted. */
export interface NewSentence {
  readonly minutes: number | null;
  readonly reason: string;
}

export interface InviteView {
  readonly code: string;
  readonly by: Person;
  readonly expiresAt: number;
  readonly usesLeft: number;
  readonly guestUntil: number | null;
}

export type Notify = 'all' | 'mentions' | 'muted';

/** A room as its settings show it. */
export interface RoomRules {
  readonly name: string;
  /** The name that the box knows; another one where a sealed title stands over it. */
  readonly boxName: string;
  readonly topic: string;
  readonly type: 'public' | 'private' | 'direct';
  readonly sealing: 'sealed' | 'open';
  readonly general: boolean;
  readonly myRole: RoomRole;
  readonly history: 'all' | 'since_join';
  /** Days and bytes that are kept; 0: as the house says. */
  readonly keepDays: number;
  readonly keepBytes: number;
  readonly notify: Notify;
}

/** What is changed; the rest stays. */
export type RoomRulesChange = Partial<
  Pick<RoomRules, 'name' | 'topic' | 'history' | 'keepDays' | 'keepBytes'> & {
    readonly type: 'public' | 'private';
  }
>;

/** A room that everybody of the house finds. */
export interface PublicRoom {
  readonly id: string;
  readonly name: string;
  readonly topic: string;
  readonly sealing: 'sealed' | 'open';
  readonly people: number;
  /** One is in it. */
  readonly mine: boolean;
}

/** `next`: what the page after this one follows; null: there is none. */
export interface PublicRooms {
  readonly rooms: readonly PublicRoom[];
  readonly next: string | null;
}

/** What one can do with a room and the people in it. */
export interface RoomDesk {
  rules(room: string): RoomRules;
  change(room: string, change: RoomRulesChange): Promise<void>;
  /** Open becomes sealed, for ever. */
  seal(room: string): Promise<void>;
  /** Asks the box anew for its people and devices. */
  look(room: string): Promise<void>;
  notify(room: string, notify: Notify): Promise<void>;
  leave(room: string): Promise<void>;
  end(room: string): Promise<void>;
  /** Public rooms below `after`, the newest message first. */
  publicRooms(after: string | null): Promise<PublicRooms>;
  /** One is in it when this resolves. */
  join(room: string): Promise<void>;

  /** Those that can still be used. */
  invites(room: string): Promise<readonly InviteView[]>;
  revoke(room: string, code: string): Promise<void>;
  makeInvite(room: string, uses: number): Promise<InviteLink>;

  /** Who can be let in: everybody one may see who is not in it. */
  add(room: string, person: string): Promise<void>;
  /** Lists somebody who waits for the room's key. */
  giveKey(room: string, person: string): Promise<void>;
  remove(room: string, person: string, reason: string): Promise<void>;
  setRole(room: string, person: string, role: RoomRole): Promise<void>;
  /** The room is theirs then, and one is an admin oneself. */
  handOver(room: string, person: string): Promise<void>;
  sentences(room: string): Promise<Sentences>;
  mute(room: string, person: string, sentence: NewSentence): Promise<void>;
  ban(room: string, person: string, sentence: NewSentence): Promise<void>;
  lift(room: string, person: string, kind: 'mutes' | 'bans'): Promise<void>;
}

/** People, alerts, rooms' settings, the house's administration: one property of `App`. */
export interface PeopleDesk {
  readonly state: PeopleState;
  subscribe(run: (state: PeopleState) => void): () => void;
  readonly rooms: RoomDesk;

  /** Asks the box who is there. */
  refresh(): Promise<void>;
  /** Somebody, also who is not in the list. */
  profile(person: string): Profile;
  /** The picture of somebody's `avatar`; null: it is gone. Rejects when the box is away. */
  picture(avatar: string): Promise<Blob | null>;
  /** The direct room with somebody: made when there is none. */
  direct(person: string): Promise<string>;
  /** Asks to be a contact, or accepts. */
  befriend(person: string): Promise<void>;
  /** Ends it, or declines. */
  part(person: string): Promise<void>;
  block(person: string): Promise<void>;
  unblock(person: string): Promise<void>;
  /** The digits to compare; null: they have no keys. */
  compare(person: string): Promise<Comparison | null>;
  /** Both saw the same digits. */
  checked(person: string, digits: string): Promise<void>;

  olderNotices(): Promise<void>;
  readNotice(id: string): Promise<void>;
  readAllNotices(): Promise<void>;
  /** Called with each alert as it comes, while this tab holds the connection. */
  onAlert(run: (alert: Alert) => void): () => void;
}
