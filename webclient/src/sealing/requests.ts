// What the rest of the client may ask of the sealing worker. No key comes back, ever.
import type { Cost } from '../protocol/cost';
import type { Id, InviteCode } from '../protocol/ids';
import type { Rules } from './epoch';
import type { Kind } from './event';
import type { PinState } from './vault';

/** Keeps bytes between reloads, sealed by a key that cannot be taken out. */
export interface Safe {
  put(name: string, bytes: Uint8Array): Promise<void>;
  get(name: string): Promise<Uint8Array | null>;
  wipe(): Promise<void>;
}

/** A new person's public things, and the sheet to print. */
export interface NewIdentity {
  readonly card: Uint8Array;
  /** `AGE-SECRET-KEY-1…`: shown once, printed, kept nowhere. */
  readonly recoverySheet: string;
}

export interface VaultFiles {
  readonly vault: Uint8Array;
  readonly recovery: Uint8Array;
}

/** How a vault is written anew. */
export interface VaultRewrite {
  readonly version: number;
  /** Root under the key of the last `stretch`; else it stays under what it lies under. */
  readonly underPassword: boolean;
  /** A new recovery sheet, made then (ms since 1970); null: the one there is goes on. */
  readonly newSheetAt: number | null;
}

export interface RewrittenVault extends VaultFiles {
  /** The new sheet, to be printed once the box has the vault. */
  readonly recoverySheet: string | null;
}

/** What a new browser shows, for a signed-in one to read or type (sealing.md §2). */
export interface PairingOffer {
  /** 16 bytes: the relay's channel. */
  readonly channel: Uint8Array;
  /** 32 bytes: its public key. */
  readonly key: Uint8Array;
}

export interface BegunPairing extends PairingOffer {
  /** For typing, where nothing can be scanned: the channel and a part of the key's hash. */
  readonly typed: string;
}

export interface TypedPairing {
  readonly channel: Uint8Array;
  /** The first 10 bytes of the key's SHA-256. */
  readonly print: Uint8Array;
}

export interface PairingAnswer {
  readonly key: Uint8Array;
  readonly digits: string;
}

/** What this client holds of a person's keys. */
export interface Trust {
  readonly state: PinState;
  /** Since when, in ms since 1970. */
  readonly at: number;
  /** Who vouched for the keys, or listed the changed ones; null: nobody but oneself. */
  readonly by: Id | null;
  /** When other keys were made that the box offers and nobody here has accepted; null: none. */
  readonly offered: number | null;
}

/** New keys of one's own, to be written with the vault in one request. */
export interface RenewedIdentity extends VaultFiles {
  readonly card: Uint8Array;
}

/** Whether something can be sealed for the room now. */
export const isReady = ({ open, listed, split, changed }: KeyView): boolean =>
  open && listed && !split && changed.length === 0;

/** Where a room's keys stand for this client. */
export interface KeyView {
  /** The epoch in force, 0 when none is known. */
  readonly epoch: number;
  /** Its secret is here. */
  readonly open: boolean;
  /** I am among its members. */
  readonly listed: boolean;
  /** The box showed another history of this room before. */
  readonly split: boolean;
  /** I can make the next epoch, also where this one does not open. */
  readonly mayBuild: boolean;
  readonly members: readonly Id[];
  /** The doors that stand, with whom their devices seal to; null: to nobody here, the door is false. */
  readonly doors: readonly (readonly [Id, string | null])[];
  readonly invites: readonly InviteCode[];
  readonly rules: Rules | null;
  readonly at: number;
  /** When the next epoch is due by itself, ms since 1970. */
  readonly dueAt: number;
  /** Listed with keys that are not theirs any more: the next epoch lists the new ones. */
  readonly behind: readonly Id[];
  /** Listed with changed keys that nobody here has accepted: nothing is sent before. */
  readonly changed: readonly Id[];
  /** Who made the epoch, and why. */
  readonly by: Id | null;
  readonly reason: string;
}

export interface Waiting {
  readonly user: Id;
  readonly code: InviteCode;
  readonly proof: Uint8Array;
}

/** What the next epoch of a room changes. `members`: all whom the box lists. */
export interface NextEpoch {
  readonly room: Id;
  readonly members: readonly Id[];
  readonly waiting: readonly Waiting[];
  readonly reason: string;
  readonly at: number;
  /** All devices the box lists, the new one included. */
  readonly devices: readonly Id[];
  readonly addDoor?: Id;
  readonly endInvites?: readonly InviteCode[];
  /** Members who are let in by this person's word, with the card that the box serves. */
  readonly letIn?: readonly Id[];
  /** The rules from then on; left out: they stay. */
  readonly rules?: Rules;
}

/** What two people compare when they stand side by side. */
export interface Comparison {
  /** 60 digits, the same for both. */
  readonly digits: string;
  /** What is known of them so far; null: nothing. */
  readonly state: PinState | null;
}

export interface MadeEpoch {
  readonly epoch: number;
  readonly bundle: Uint8Array;
  /** Whom it lists. */
  readonly members: readonly Id[];
  /** The recipient of `addDoor`, `age1…`. */
  readonly doorRecipient: string | null;
}

export interface InviteRequest {
  readonly rooms: readonly NextEpoch[];
  readonly by: Id;
  readonly expires: number;
  readonly uses: number;
}

export interface MadeInvite {
  readonly code: InviteCode;
  readonly authHash: Uint8Array;
  readonly blob: Uint8Array;
  /** The link's fragment: base64url of its key. */
  readonly fragment: string;
  readonly bundles: readonly { readonly room: Id; readonly bundle: Uint8Array }[];
}

export interface ToSeal {
  readonly room: Id;
  readonly id: Id;
  readonly writer: number;
  readonly seq: number;
  readonly kind: Kind;
  readonly target: Id | null;
  /** Kind 4: whom the box notifies. */
  readonly notify: readonly Id[];
  readonly body: Uint8Array;
}

/** What came of a sealed wire. */
export type Opened =
  | {
      readonly kind: 'opened';
      readonly id: Id;
      readonly sender: Id;
      readonly writer: number;
      readonly seq: number;
      readonly epoch: number;
      readonly event: Kind;
      readonly target: Id | null;
      /** JSON followed by spaces. */
      readonly body: Uint8Array;
      readonly changedCard: boolean;
    }
  | {
      readonly kind: 'waiting_for_key' | 'other_key' | 'erased';
      readonly id: Id;
      readonly sender: Id;
      readonly writer: number;
      readonly seq: number;
      readonly epoch: number;
    }
  | { readonly kind: 'malformed' };

/** A post as the box handed it out: an age file. */
export interface DevicePost {
  readonly device: Id;
  readonly id: Id;
  readonly file: Uint8Array;
}

export type OpenedPost =
  | {
      readonly kind: 'opened';
      readonly plaintext: Uint8Array;
      /** When the door that it opens was renewed, ms since 1970; null: it stands, or the device has none. */
      readonly renewedAt: number | null;
    }
  | { readonly kind: 'waiting_for_key' | 'other_key' };

/** What a report of a sealed room's message shows to those who keep order. */
export interface Disclosed {
  /** An age file. */
  readonly file: Uint8Array;
  /** Who can open it: of those asked for, the ones with keys. */
  readonly to: readonly Id[];
}

/**
 * How far evidence goes: signed with the writer's keys, signed with keys that are not the ones believed
 * here, or nothing but the reporter's word.
 */
export type Proof = 'signed' | 'other_keys' | 'claimed';

export interface Evidence {
  readonly proof: Proof;
  /** What the message said, and what it was edited to: each JSON as it was written, the last one counts. */
  readonly bodies: readonly Uint8Array[];
}

/** Which message evidence must be about. */
export interface About {
  readonly room: Id;
  readonly message: Id;
  readonly sender: Id;
}

/** The requests. Each is answered once; errors are SealingError or BytesError by name. */
export interface Sealing {
  /** Takes the root kept between reloads; false when there is none. */
  wake(user: Id): Promise<boolean>;
  /** Writes root into the safe. */
  keep(): Promise<void>;
  /** Forgets everything, the safe first. */
  forget(): Promise<void>;

  /** Argon2id; the vault's key stays here, the box's half comes back. */
  stretch(password: string, salt: Uint8Array, cost: Cost): Promise<Uint8Array>;
  createIdentity(user: Id, now: number): Promise<NewIdentity>;
  /** Opens a vault with root, or with the key of the last `stretch`. */
  openVault(user: Id, version: number, vault: Uint8Array): Promise<void>;
  /** The vault and recovery file at this version, from what is known now. */
  writeVault(version: number): Promise<VaultFiles>;
  /** Whether pins or heads changed since the last `writeVault` or `openVault`. */
  vaultChanged(): Promise<boolean>;
  /** The last written vault did not reach the box: it counts as changed again. */
  touchVault(): Promise<void>;
  /** A vault to be written; it counts here once `openVault` takes it. */
  rewriteVault(rewrite: VaultRewrite): Promise<RewrittenVault>;
  /** Takes root from the recovery file, by the printed sheet; `openVault` comes next. */
  openRecovery(user: Id, file: Uint8Array, sheet: string): Promise<void>;

  /** A new browser begins a pairing. */
  pairBegin(): Promise<BegunPairing>;
  /** The parts of what somebody typed; null: mistyped. */
  pairTyped(text: string): Promise<TypedPairing | null>;
  /**
   * A signed-in browser answers one: its own public key for the new one, and six digits. `print`:
   * what was typed, which the key must fit.
   */
  pairAnswer(offer: PairingOffer, print: Uint8Array | null): Promise<PairingAnswer>;
  /** The new browser takes the answer: the six digits that both must show. */
  pairMeet(key: Uint8Array): Promise<string>;
  /** The person said yes: root and a new login's refresh secret, sealed for the new browser. */
  pairGive(refresh: string): Promise<Uint8Array>;
  /** The new browser opens what it was given; root waits for `pairEnter`. */
  pairTake(sealed: Uint8Array): Promise<string>;
  /** Root becomes this person's. */
  pairEnter(user: Id): Promise<void>;
  /** Forgets a pairing that came to nothing. */
  pairEnd(): Promise<void>;
  pins(): Promise<ReadonlyMap<Id, PinState>>;
  /** The safety number with a person, by the card that counts here; null: there is none. */
  comparison(user: Id): Promise<Comparison | null>;
  /** Both saw these digits: the person was checked. Other digits than now are refused. */
  checked(user: Id, digits: string, at: number): Promise<void>;
  /** The same with since when, by whom, and what the box offers instead. */
  trust(): Promise<ReadonlyMap<Id, Trust>>;
  /** The changed keys of somebody are accepted; the next epochs list them. */
  acceptKeys(user: Id, at: number): Promise<void>;
  /** New keys and a card that follows mine (`addCards` first), with the vault of this version. */
  renewIdentity(version: number, at: number): Promise<RenewedIdentity>;
  /** The box has them: they count from here on. */
  identityRenewed(): Promise<void>;

  addCards(user: Id, cards: readonly Uint8Array[]): Promise<void>;
  /** Whose cards are needed before these bundles can be judged. */
  missingCards(bundles: readonly Uint8Array[]): Promise<Id[]>;
  /**
   * What does not read or may not follow is refused in the end, after the rest was taken. `kept`:
   * what this browser kept, which may end before what the vault knows. `now`: ms since 1970; no
   * header's time is remembered as later.
   */
  takeBundles(
    room: Id,
    bundles: readonly Uint8Array[],
    source: 'kept' | 'box',
    now?: number,
  ): Promise<KeyView>;
  /** Which of these bundles were taken, byte by byte: only those are for keeping. */
  accepted(room: Id, bundles: readonly Uint8Array[]): Promise<readonly boolean[]>;
  keyView(room: Id): Promise<KeyView>;
  /** The rooms with a key that is known here, by the vault, a link or an own founding. */
  sealedRooms(): Promise<Id[]>;
  /** Whether a `key` announcement tells of an epoch that is not here yet. */
  isNews(room: Id, announcement: Uint8Array): Promise<boolean>;
  /** Bundle 1 of a new room; `others` are listed with the newest card that `addCards` took. */
  foundRoom(room: Id, rules: Rules, at: number, others?: Id[], devices?: Id[]): Promise<Uint8Array>;
  nextEpoch(request: NextEpoch): Promise<MadeEpoch>;

  makeInvite(request: InviteRequest): Promise<MadeInvite>;
  /** Takes a link's key; gives what the box is shown to hand out the blob. */
  takeInvite(code: InviteCode, k: Uint8Array): Promise<Uint8Array>;
  /** Opens the blob: the sealed rooms it leads to. */
  readInvite(code: InviteCode, blob: Uint8Array): Promise<Id[]>;
  joinProofs(code: InviteCode): Promise<{ readonly room: Id; readonly proof: Uint8Array }[]>;

  seal(event: ToSeal): Promise<Uint8Array>;
  /**
   * Opens and verifies wires of a room. `positions`: where they stand, to be remembered between
   * reloads; left out or null: not remembered.
   */
  open(room: Id, wires: readonly Uint8Array[], positions?: Positions): Promise<Opened[]>;
  /** The same of devices' posts. */
  openPosts(room: Id, posts: readonly DevicePost[], positions?: Positions): Promise<OpenedPost[]>;

  /** Shows an event, and what it was edited to, to these people: opened, with the signatures. */
  disclose(room: Id, wires: readonly Uint8Array[], to: readonly Id[]): Promise<Disclosed>;
  /** Opens what was shown to me, and judges it by the writer's cards (`addCards` first). */
  readEvidence(file: Uint8Array, about: About): Promise<Evidence>;
}

/** Positions of what is opened, in its order. */
export type Positions = readonly (number | null)[];
