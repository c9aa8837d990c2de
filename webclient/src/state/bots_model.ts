// What whoever runs the house sees of its programs: bots, their tokens, MQTT topics beside the rooms.
import type { NewToken, TokenAccess, TokenView } from './account_model';

export interface NewBot {
  readonly name: string;
  /** Empty: the name. */
  readonly displayName: string;
  /** Its first token. */
  readonly token: NewToken;
}

/** Whom topics can be granted to. */
export interface Holder {
  readonly kind: 'person' | 'device';
  readonly id: string;
  readonly name: string;
  /** A device's room. */
  readonly room: string | null;
}

/** MQTT topics that somebody's programs, or a device, may use beside the rooms. */
export interface GrantView {
  readonly id: string;
  /** Null: a device of a room that one is not in, or an account that is gone. */
  readonly holder: Holder | null;
  /** As `homeassistant/#`. */
  readonly filter: string;
  readonly access: TokenAccess;
}

export interface NewGrant {
  readonly holder: Holder;
  readonly filter: string;
  readonly access: TokenAccess;
}

/** Programs of the house. Everything asks the box. */
export interface Programs {
  /** The text of its first token, shown this once. */
  makeBot(bot: NewBot): Promise<string>;
  tokens(bot: string): Promise<readonly TokenView[]>;
  /** The token's text, shown this once. */
  makeToken(bot: string, token: NewToken): Promise<string>;
  endToken(bot: string, token: string): Promise<void>;

  /** Everybody of the house, and the devices of the rooms one is in. */
  holders(): Promise<readonly Holder[]>;
  grants(holders: readonly Holder[]): Promise<readonly GrantView[]>;
  grant(grant: NewGrant): Promise<void>;
  endGrant(grant: string): Promise<void>;
}
