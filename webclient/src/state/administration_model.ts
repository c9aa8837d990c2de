// What whoever runs the house sees of it and may do; loaded with its screens. No DOM here.
import type { Programs } from './bots_model';
import type { Proof } from '../sealing/requests';
import type { PinState } from '../sealing/vault';
import type { GivenRole } from './may';
import type { InviteLink, Person } from './model';
import type { InviteView } from './people_model';

/** An account of the house; times in ms since 1970. */
export interface AccountView {
  readonly person: Person;
  readonly me: boolean;
  readonly createdAt: number;
  /** Null: never. */
  readonly lastSeen: number | null;
  /** When a guest's stay ends; null: it does not end by itself. */
  readonly guestUntil: number | null;
  readonly blocked: boolean;
  readonly may: {
    /** What they can be made, theirs included; empty: nothing else. */
    readonly roles: readonly GivenRole[];
    /** Block, end, sign out, disconnect, let stay longer. */
    readonly manage: boolean;
    /** A link for a new password. */
    readonly reset: boolean;
  };
}

/** A link that is shown once. */
export interface ResetLink {
  readonly link: string;
  readonly expiresAt: number;
}

export interface HouseInvite extends InviteView {
  readonly room: { readonly id: string; readonly name: string };
  /** Null: only whoever made it has its secret. */
  readonly link: string | null;
}

export interface NewInvite {
  readonly room: string;
  readonly uses: number;
  /** Days that a guest stays; null: for people who live here. */
  readonly guestDays: number | null;
}

/** A room into which one may invite. */
export interface InvitingRoom {
  readonly id: string;
  readonly name: string;
  readonly general: boolean;
  readonly sealed: boolean;
}

export type Ruling = 'dismiss' | 'uphold' | 'delete' | 'kick' | 'mute' | 'ban';

export interface ReportView {
  readonly id: string;
  /** Who reports; null: gone. */
  readonly by: Person | null;
  /** `here`: one is in it oneself. `name` null: not told. */
  readonly room: { readonly id: string; readonly name: string | null; readonly here: boolean };
  readonly message: string;
  /** Whose message it is; null: a device's, or it is gone. */
  readonly sender: Person | null;
  readonly reason: string;
  /** The message of an open room; null: the box cannot read it, or it is gone. */
  readonly text: string | null;
  readonly deleted: boolean;
  /** There is an age file to the moderators. */
  readonly hasEvidence: boolean;
  /** ms since 1970. */
  readonly at: number;
  /** What can be decided. */
  readonly rulings: readonly Ruling[];
  readonly decision: {
    readonly by: Person;
    readonly upheld: boolean;
    readonly note: string;
    readonly at: number;
  } | null;
}

/** A sealed room's message as a report shows it. */
export interface EvidenceView {
  /** What stands for it: the writer's keys, keys that are not believed to be theirs, or nothing. */
  readonly proof: Proof;
  /** What is known here of the writer's keys. */
  readonly pin: PinState;
  /** As it was first written, and as it was last edited. */
  readonly texts: readonly string[];
  /** How many files came with it; they are not shown. */
  readonly files: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** What the next page begins after; null: this is the last one. */
  readonly next: string | null;
}

export interface NewDecision {
  readonly ruling: Ruling;
  readonly note: string;
  /** Of a mute or a ban; null: until it is lifted. */
  readonly minutes: number | null;
}

/** How the house is run. */
export interface HouseSettings {
  readonly version: number;
  readonly house: string;
  readonly registration: 'invite' | 'open';
  /** Days and bytes of a room that are kept; 0: all. */
  readonly keepDays: number;
  readonly keepBytes: number;
  /** MB of files; null: as the box was started. */
  readonly personMib: number | null;
  readonly houseMib: number | null;
  /** Days that the log and decided reports are kept; null: as the box was started. */
  readonly logDays: number | null;
}

export interface StorageView {
  readonly files: number;
  readonly bytes: number;
  readonly houseMax: number;
  readonly personMax: number;
  /** Whoever has the most comes first. */
  readonly people: readonly {
    readonly id: string;
    readonly name: string;
    readonly files: number;
    readonly bytes: number;
  }[];
}

/** From where the house is reached. */
export interface AddressRules {
  readonly version: number;
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Where this browser is, as the box sees it. */
  readonly yours: string;
}

/** How the box is; the counts are since it was started. */
export interface HealthView {
  readonly version: string;
  /** Whether the box knows what time it is. */
  readonly clockTrusted: boolean;
  /** Address and port of MQTT in clear; null: none. */
  readonly mqtt: string | null;
  /** By name and labels, as `hearth_http_connections{door="tls"}`. */
  readonly counts: ReadonlyMap<string, number>;
}

export type SubjectKind = 'house' | 'user' | 'room' | 'message' | 'device';

/** That somebody did something to somebody or something. */
export interface LogEntry {
  readonly id: string;
  readonly at: number;
  /** Null: the box's own shell. */
  readonly by: Person | null;
  /** A word like `room.kick`. */
  readonly action: string;
  readonly subject: { readonly kind: SubjectKind; readonly name: string | null };
  /** In which room, where that is told and known. */
  readonly room: string | null;
  /** Of a change: from what to what. */
  readonly from: string | null;
  readonly to: string | null;
  /** Somebody beside the subject: who came into a room, or is something else in it. */
  readonly whom: string | null;
  readonly reason: string;
}

/** Running the house: for its owner and admins. Everything asks the box. */
export interface Administration {
  readonly programs: Programs;
  accounts(): Promise<readonly AccountView[]>;
  /** `guestDays`: how long a guest stays from now; null: without an end. */
  setRole(person: string, role: GivenRole, guestDays: number | null): Promise<void>;
  letStay(person: string, days: number | null): Promise<void>;
  setBlocked(person: string, blocked: boolean): Promise<void>;
  /** For good: out of every room, signed in nowhere. */
  end(person: string): Promise<void>;
  resetLink(person: string): Promise<ResetLink>;
  /** Ends all their logins; `tokens`: the programs' too. */
  signOut(person: string, tokens: boolean): Promise<void>;

  invitingRooms(): readonly InvitingRoom[];
  invites(): Promise<readonly HouseInvite[]>;
  invite(input: NewInvite): Promise<InviteLink>;
  revoke(room: string, code: string): Promise<void>;

  reports(which: 'open' | 'decided', from: string | null): Promise<Page<ReportView>>;
  /** What the reporter showed of a sealed room's message; rejects where it does not open here. */
  evidence(report: ReportView): Promise<EvidenceView>;
  decide(report: ReportView, decision: NewDecision): Promise<void>;

  settings(): Promise<HouseSettings>;
  /** Rejects with `changed_meanwhile` when somebody was quicker. */
  changeSettings(settings: HouseSettings): Promise<HouseSettings>;
  storage(): Promise<StorageView>;
  addresses(): Promise<AddressRules>;
  /** Rejects with `would_lock_you_out` unless `force`. */
  changeAddresses(rules: AddressRules, force: boolean): Promise<AddressRules>;
  health(): Promise<HealthView>;
  log(before: string | null): Promise<Page<LogEntry>>;
}
