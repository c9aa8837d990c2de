// One's own account while signed in: profile, password, logins, app tokens, letting a browser in.
import type { OwnLogin, OwnProfile, ProfileChange } from '../api/account';
import { isCode } from '../api/error';
import { isId, type Id } from '../protocol/ids';
import type * as m from './account_model';
import type { Parts } from './deps';
import type { Person, RecoverySheet } from './model';
import { Letting } from './pairing';
import { ProblemError } from './problem';
import { same } from './same';
import { scopeOf, tokenOf } from './token_view';
import { rewriteVault, type Rewritten } from './vault_rewrite';

export interface OwnAccountEvents {
  readonly changed: (change: Partial<m.AccountState>) => void;
  /** What the others see of oneself is another, or what one is in the house. */
  readonly shown: (as: Pick<Person, 'name' | 'displayName' | 'avatar' | 'role'>) => void;
  /** New keys for this person, in every room. */
  readonly renewKeys: (password: string) => Promise<void>;
}

const SALT = 16;

const profileOf = (user: OwnProfile): m.Profile => ({
  name: user.name,
  displayName: user.display_name === user.name ? '' : user.display_name,
  statusText: user.status_text,
  presence: user.presence,
  avatar: user.avatar,
  guestUntil: user.guest_until,
});

const loginOf = ({ id, label, current, ...at }: OwnLogin): m.LoginView => ({
  id,
  label,
  current,
  createdAt: at.created_at,
  lastSeen: at.last_seen,
});

function need(id: string): Id {
  if (isId(id)) return id;
  throw new ProblemError('not_found', 'there is no such thing', 'reload the page');
}

export class OwnAccount {
  readonly #parts: Parts;
  readonly #me: Id;
  readonly #events: OwnAccountEvents;
  readonly #letting: Letting;

  constructor(parts: Parts, me: Id, events: OwnAccountEvents) {
    this.#parts = parts;
    this.#me = me;
    this.#events = events;
    this.#letting = new Letting(parts, (handing) => events.changed({ handing }));
  }

  async load(): Promise<void> {
    const { account } = this.#parts.api;
    const [user, logins, tokens] = await Promise.all([
      account.me(),
      account.logins(),
      account.tokens(),
    ]);
    this.#events.changed({ logins: newestFirst(logins), tokens: tokens.map(tokenOf) });
    await this.#take(user);
  }

  /** What the box says of oneself; the name is also kept for the next page. */
  async #take(user: OwnProfile): Promise<void> {
    const { login } = this.#parts;
    const profile = profileOf(user);
    const displayName = profile.displayName === '' ? profile.name : profile.displayName;
    this.#events.changed({ profile });
    const { name, avatar } = profile;
    const { role } = user;
    this.#events.shown({ name, displayName, avatar, role });
    const kept = await login.read();
    if (kept === null) return;
    const now = { ...kept.user, name, displayName, role, avatar: user.avatar };
    if (!same(now, kept.user)) await login.write({ ...kept, user: now });
  }

  async changeProfile({ name, displayName, statusText, presence }: m.ProfileEdit): Promise<void> {
    await this.#change({
      ...(name === undefined ? {} : { name }),
      ...(displayName === undefined ? {} : { display_name: displayName }),
      ...(statusText === undefined ? {} : { status_text: statusText }),
      ...(presence === undefined ? {} : { presence }),
    });
  }

  /** Null: none. */
  async changePicture(picture: Blob | null): Promise<void> {
    const { attachments } = this.#parts.api;
    const avatar = picture === null ? null : await attachments.uploadAvatar(picture);
    await this.#change({ avatar });
  }

  async #change(change: ProfileChange): Promise<void> {
    await this.#take(await this.#parts.api.account.change(change));
  }

  /** Rewrites the vault and remembers its version. */
  async #rewrite(
    how: { readonly underPassword: boolean; readonly newSheetAt: number | null },
    put: Parameters<typeof rewriteVault>[4],
  ): Promise<Rewritten> {
    const { api, login } = this.#parts;
    const { version } = await api.users.vault();
    const made = await rewriteVault(this.#parts, this.#me, version, how, put);
    const kept = await login.read();
    if (kept !== null) {
      await login.write({ ...kept, vaultVersion: made.version, vault: made.vault });
    }
    return made;
  }

  async changePassword(old: string, next: string): Promise<void> {
    const { api, sealing, random, cost, login } = this.#parts;
    const kept = await login.read();
    if (kept === null) throw new ProblemError('sign_in', 'nobody is signed in', 'sign in');
    const now = await api.auth.params(kept.user.name);
    const oldKey = await sealing.stretch(old, now.salt, now.cost);
    const salt = random(SALT);
    const authKey = await sealing.stretch(next, salt, cost);
    const how = { underPassword: true, newSheetAt: null };
    await this.#rewrite(how, (expected, files) =>
      api.account.changePassword(oldKey, { salt, cost, authKey }, expected, files),
    );
    await this.#logins();
  }

  async newSheet(): Promise<RecoverySheet> {
    const { api, clock, login } = this.#parts;
    const createdAt = clock.now();
    const how = { underPassword: false, newSheetAt: createdAt };
    const made = await this.#rewrite(how, (expected, { vault, recovery }) =>
      api.users.putVault(expected, vault, recovery, null),
    );
    const kept = await login.read();
    if (made.recoverySheet === null || kept === null) {
      throw new ProblemError('sign_in', 'nobody is signed in', 'sign in');
    }
    const { user, house } = kept;
    return { house: house ?? 'Hearth', name: user.name, identity: made.recoverySheet, createdAt };
  }

  async #logins(): Promise<void> {
    this.#events.changed({ logins: newestFirst(await this.#parts.api.account.logins()) });
  }

  async endLogin(id: string): Promise<void> {
    await this.#parts.api.account.endLogin(need(id));
    await this.#logins();
  }

  async endOtherLogins(): Promise<void> {
    await this.#parts.api.account.endOtherLogins();
    await this.#logins();
  }

  /** The lost one ends first: what follows may wait for the box, or for other browsers. */
  async lostDevice(password: string): Promise<void> {
    const { sealing, api, login } = this.#parts;
    const kept = await login.read();
    if (kept === null) throw new ProblemError('sign_in', 'nobody is signed in', 'sign in');
    const { salt, cost } = await api.auth.params(kept.user.name);
    const authKey = await sealing.stretch(password, salt, cost);
    await this.#prove(kept.user.name, authKey);
    await this.endOtherLogins();
    await this.#events.renewKeys(password);
  }

  /** New keys sealed under a mistyped password would be lost: the box says whether it is right. */
  async #prove(name: string, authKey: Uint8Array): Promise<void> {
    const { api, label } = this.#parts;
    try {
      await api.account.endLogin((await api.auth.login(name, authKey, label)).sessionId);
    } catch (error) {
      if (!isCode(error, 'wrong_login')) throw error;
      throw new ProblemError('wrong_password', 'this is not your password', 'check it', error);
    }
  }

  async makeToken(input: m.NewToken): Promise<string> {
    const { account } = this.#parts.api;
    const { token } = await account.makeToken(input.label, scopeOf(input));
    await this.#tokens();
    return token;
  }

  async endToken(id: string): Promise<void> {
    await this.#parts.api.account.endToken(need(id));
    await this.#tokens();
  }

  async #tokens(): Promise<void> {
    const tokens = await this.#parts.api.account.tokens();
    this.#events.changed({ tokens: tokens.map(tokenOf) });
  }

  answerPairing(code: string): Promise<void> {
    return this.#letting.answer(code);
  }

  async confirmPairing(same: boolean, label: string): Promise<void> {
    await this.#letting.confirm(same, label);
    await this.#logins();
  }

  endPairing(): void {
    this.#letting.end();
  }
}

/** This one first, then whoever was seen last. */
function newestFirst(logins: readonly OwnLogin[]): m.LoginView[] {
  const views = logins.map(loginOf);
  return views.sort((a, b) => Number(b.current) - Number(a.current) || b.lastSeen - a.lastSeen);
}
