// What the screens see of a person's own account, before and after signing in. No DOM here.
/** A screen before the rooms, other than set-up, joining and the plain login. */
export type Door =
  /** An admin's link: asks for a new password. `name`: set already, for somebody else's browser. */
  | { readonly kind: 'reset'; readonly done: string | null }
  /** Signed in; what is sealed lies under an older password. */
  | { readonly kind: 'locked'; readonly name: string }
  /** This new browser asks a signed-in one for the keys. */
  | { readonly kind: 'pairing'; readonly pairing: NewBrowser };

/** How far a new browser is with its pairing. */
export type NewBrowser =
  | { readonly step: 'begins' }
  /** Shown for the other browser; `link` for its camera, `typed` for its keyboard. */
  | {
      readonly step: 'shown';
      readonly link: string;
      readonly typed: string;
      readonly endsAt: number;
    }
  /** Both show these; the other one's person decides. */
  | { readonly step: 'digits'; readonly digits: string; readonly endsAt: number }
  | { readonly step: 'failed'; readonly code: PairingFailure };

/** Why a pairing came to nothing. */
export type PairingFailure = 'timed_out' | 'refused' | 'damaged' | 'offline';

/** How far a signed-in browser is with letting another one in. */
export type Handing =
  /** Looks for the new browser's message. */
  | { readonly step: 'looking' }
  | { readonly step: 'digits'; readonly digits: string }
  | { readonly step: 'giving' }
  | { readonly step: 'done' }
  /** `refused`: the person said that the digits differ. */
  | { readonly step: 'failed'; readonly code: PairingFailure | 'mistyped' | 'gone' | 'other_key' };

export type PresenceChoice = 'online' | 'away' | 'busy' | 'offline';

export interface Profile {
  readonly name: string;
  /** Empty: the name is shown. */
  readonly displayName: string;
  readonly statusText: string;
  readonly presence: PresenceChoice;
  /** The picture's attachment. */
  readonly avatar: string | null;
  /** ms since 1970: when a guest's stay ends; null for everybody else. */
  readonly guestUntil: number | null;
}

/** What a profile form changes; the rest stays. */
export interface ProfileEdit {
  /** What one signs in with. */
  readonly name?: string;
  readonly displayName?: string;
  readonly statusText?: string;
  readonly presence?: PresenceChoice;
}

/** A browser or command line where one is signed in; times in ms since 1970. */
export interface LoginView {
  readonly id: string;
  readonly label: string;
  readonly createdAt: number;
  readonly lastSeen: number;
  /** This one. */
  readonly current: boolean;
}

export type TokenAccess = 'read' | 'write' | 'both';

/** A program's own way in. */
export interface TokenView {
  readonly id: string;
  readonly label: string;
  readonly createdAt: number;
  /** 0: never. */
  readonly lastUsedAt: number;
  /** Null: whatever its person may do. */
  readonly access: TokenAccess | null;
  /** Null: all of one's rooms. */
  readonly rooms: readonly string[] | null;
}

export interface NewToken {
  readonly label: string;
  readonly access: TokenAccess;
  /** Null: all of one's rooms. */
  readonly rooms: readonly string[] | null;
}

export interface AccountState {
  readonly door: Door | null;
  /** Null until `load`. */
  readonly profile: Profile | null;
  readonly logins: readonly LoginView[] | null;
  readonly tokens: readonly TokenView[] | null;
  /** Another browser is being let in; null when none is. */
  readonly handing: Handing | null;
}

export const NO_ACCOUNT: AccountState = {
  door: null,
  profile: null,
  logins: null,
  tokens: null,
  handing: null,
};

/** To be printed once and kept; null again after `recoverySheetKept`. */
export interface RecoverySheet {
  readonly house: string;
  readonly name: string;
  /** `AGE-SECRET-KEY-1…`, for text and QR. */
  readonly identity: string;
  readonly createdAt: number;
}

/** What one can do about one's own account. Every action rejects with a Problem. */
export interface AccountActions {
  /** A new password by the link in the address; signs in with it. */
  reset(password: string): Promise<void>;
  /** Comes in as a guest by the invite in the address. */
  visit(displayName: string): Promise<void>;
  /** The keys by the printed sheet. */
  openWithSheet(code: string): Promise<void>;
  /** The keys by the password they still lie under. */
  openWithOldPassword(password: string): Promise<void>;
  /** New keys: what was sealed is read again once somebody at home has let them in. */
  startAnew(): Promise<void>;
  /** Asks a signed-in browser, from here; the steps are in `door`. */
  pairHere(): Promise<void>;
  /** Back to the login, or to the ways to open the keys. */
  leaveDoor(): Promise<void>;

  /** Reads profile, logins and tokens. */
  load(): Promise<void>;
  changeProfile(edit: ProfileEdit): Promise<void>;
  /** What is shown beside one's name, a small square; null: none. */
  changePicture(picture: Blob | null): Promise<void>;
  /** Ends all other logins. */
  changePassword(old: string, next: string): Promise<void>;
  /** A new sheet; the one before opens nothing new from then on. */
  newSheet(): Promise<RecoverySheet>;
  endLogin(id: string): Promise<void>;
  endOtherLogins(): Promise<void>;
  /** New keys, which a lost device does not have; ends all other logins. */
  lostDevice(password: string): Promise<void>;
  /** The token's text, shown this once. */
  makeToken(input: NewToken): Promise<string>;
  endToken(id: string): Promise<void>;

  /** Lets a new browser in by its link or its typed code; the steps are in `handing`. */
  answerPairing(code: string): Promise<void>;
  /** Whether both show the same digits; `label`: what the list of logins calls the new one. */
  confirmPairing(same: boolean, label: string): Promise<void>;
  endPairing(): void;
}
