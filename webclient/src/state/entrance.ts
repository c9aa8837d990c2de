// Coming in: set-up, joining by an invite, signing in on a new browser, waking in a known one.
import type { JoinProof, NewAccount, Session } from '../api/auth';
import { isCode } from '../api/error';
import type { VaultReply } from '../api/users';
import { b64u, fromB64u } from '../protocol/bytes';
import { newId, parseCode, type Id, type InviteCode } from '../protocol/ids';
import type { Parts } from './deps';
import type { Credentials, Invitation, RecoverySheet, SetUp } from './model';
import { ProblemError } from './problem';
import { rewriteVault, rolledBack } from './vault_rewrite';

/** Who came in, and what is still to be done. */
export interface Arrival {
  readonly user: Session['user'];
  readonly house: string | null;
  readonly recoverySheet: RecoverySheet | null;
  /** Sealed rooms in which the newcomer lists himself. */
  readonly joining: readonly Id[];
}

/** An invite that was looked at. */
export interface OpenInvite {
  readonly code: InviteCode;
  readonly auth: Uint8Array;
  readonly rooms: readonly Id[];
  readonly shown: Invitation;
}

/** Signed in, and the vault stays closed: what is needed to open it by another way. */
export interface LockedKeys {
  readonly session: Session;
  readonly house: string;
  readonly reply: VaultReply;
}

/** The login was right; its password does not open the vault. */
export class KeysLocked extends ProblemError {
  readonly keys: LockedKeys;

  constructor(keys: LockedKeys, cause: unknown) {
    super(
      'vault_closed',
      'this password does not open what you sealed: it was changed or reset',
      'use the recovery sheet, or a browser that is still signed in',
      cause,
    );
    this.keys = keys;
  }
}

const SALT = 16;
/** Bytes of a password that nobody knows. */
const SECRET = 32;

export class Entrance {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  #newId(): Id {
    return newId(this.#parts.clock.now(), this.#parts.random(10));
  }

  /** A new person's keys and files; the sheet is for printing only. */
  async #newAccount<T>(
    name: string,
    password: string,
    prepare: () => Promise<T>,
  ): Promise<{ account: NewAccount; sheet: string; prepared: T }> {
    const { sealing, random, clock, label, cost } = this.#parts;
    await sealing.forget();
    const [userId, salt] = [this.#newId(), random(SALT)];
    const authKey = await sealing.stretch(password, salt, cost);
    const { card, recoverySheet } = await sealing.createIdentity(userId, clock.now());
    const prepared = await prepare();
    const { vault, recovery } = await sealing.writeVault(1);
    const account = { userId, name, label, salt, cost, authKey, card, vault, recovery };
    return { account, sheet: recoverySheet, prepared };
  }

  /** A new person's browser from here on: nothing of whoever was here before stays. */
  async #begin(account: NewAccount, session: Session, house: string): Promise<void> {
    await this.#parts.login.forget();
    await this.#keep(session, house, 1, account.vault);
  }

  /** Keeps the login and root for the next page. */
  async #keep(
    session: Session,
    house: string | null,
    version: number,
    vault: Uint8Array,
  ): Promise<void> {
    const { tokens, sealing, login } = this.#parts;
    await Promise.all([
      tokens.take(session),
      sealing.keep(),
      login.write({ user: session.user, house, vaultVersion: version, vault }),
    ]);
  }

  #sheet(house: string, name: string, identity: string): RecoverySheet {
    return { house, name, identity, createdAt: this.#parts.clock.now() };
  }

  async setUp(secret: string, { house, name, password }: SetUp): Promise<Arrival> {
    const { sealing, api, clock } = this.#parts;
    const general = this.#newId();
    const rules = { type: 'public', history: 'all', hints: false } as const;
    const made = await this.#newAccount(name, password, () =>
      sealing.foundRoom(general, rules, clock.now()),
    );
    const { account, sheet, prepared: bundle } = made;
    const room = { id: general, name: 'General', bundle };
    const session = await api.auth.setUp(secret, house, account, room);
    await this.#begin(account, session, house);
    const recoverySheet = this.#sheet(house, name, sheet);
    return { user: session.user, house, recoverySheet, joining: [] };
  }

  /**
   * Reads an invite; rejects when it is used up, expired, revoked or cut off. Without a key it is
   * one into an open room, which has no secret.
   */
  async lookAt(codeText: string, key: string): Promise<OpenInvite> {
    const { sealing, api } = this.#parts;
    const code = parseCode(codeText);
    const auth = key === '' ? new Uint8Array() : await sealing.takeInvite(code, fromB64u(key));
    const look = await api.invites.look(code, auth);
    const rooms = look.blob === null ? [] : await sealing.readInvite(code, look.blob);
    const shown: Invitation = {
      code,
      house: look.house,
      inviter: look.inviter ?? '',
      rooms: look.rooms.map(({ name }) => name),
      expiresAt: look.expires_at,
      guestUntil: look.guest_until,
      visit: look.guest_until !== null && look.rooms.every(({ sealing }) => sealing === 'open'),
    };
    return { code, auth, rooms, shown };
  }

  /** For the sealed rooms of an invite; one without a key leads to none. */
  async #proofs({ code, auth }: OpenInvite): Promise<readonly JoinProof[]> {
    return auth.length === 0 ? [] : this.#parts.sealing.joinProofs(code);
  }

  async join(codeText: string, key: string, { name, password }: Credentials): Promise<Arrival> {
    const { api } = this.#parts;
    const made = await this.#newAccount(name, password, () => this.lookAt(codeText, key));
    const { account, sheet, prepared } = made;
    const { code, auth, rooms, shown } = prepared;
    const proofs = await this.#proofs(prepared);
    const session = await api.auth.register(code, auth, account, proofs);
    await this.#begin(account, session, shown.house);
    const recoverySheet = this.#sheet(shown.house, name, sheet);
    return { user: session.user, house: shown.house, recoverySheet, joining: rooms };
  }

  /**
   * Comes in as a guest, without a password. The keys lie under one that nobody knows: they end
   * with this browser's login, as the stay does.
   */
  async visit(codeText: string, key: string, displayName: string): Promise<Arrival> {
    const { sealing, api, random, cost, clock, label, tokens, login } = this.#parts;
    const { code, auth, shown } = await this.lookAt(codeText, key);
    const session = await api.auth.guest(code, auth, displayName, label);
    await sealing.forget();
    await login.forget();
    await tokens.take(session);
    await sealing.stretch(b64u(random(SECRET)), random(SALT), cost);
    const { card } = await sealing.createIdentity(session.user.id, clock.now());
    const { vault, recovery } = await sealing.writeVault(1);
    const version = await api.users.putVault(0, vault, recovery, card);
    await this.#keep(session, shown.house, version, vault);
    return { user: session.user, house: shown.house, recoverySheet: null, joining: [] };
  }

  /** Takes an invite as somebody who is signed in; gives the sealed rooms to list oneself in. */
  async accept(codeText: string, key: string): Promise<readonly Id[]> {
    const opened = await this.lookAt(codeText, key);
    const { code, auth, rooms } = opened;
    await this.#parts.api.invites.accept(code, auth, await this.#proofs(opened));
    return rooms;
  }

  /** Rejects with KeysLocked when the password is right and does not open the vault. */
  async login({ name, password }: Credentials): Promise<Arrival> {
    const { sealing, api, login, label, tokens } = this.#parts;
    const [kept, { salt, cost }] = await Promise.all([login.read(), api.auth.params(name)]);
    // Nobody's browser: what this page may hold yet is of somebody who signed out elsewhere.
    const [, authKey] = await Promise.all([
      kept === null ? sealing.forget() : null,
      sealing.stretch(password, salt, cost),
    ]);
    const session = await api.auth.login(name, authKey, label);
    const known = kept?.user.id === session.user.id ? kept.vaultVersion : null;
    // Another person's browser until now: nothing of theirs stays.
    if (kept !== null && known === null) {
      await sealing.forget();
      await sealing.stretch(password, salt, cost);
    }
    tokens.hold(session);
    const [house, reply] = await Promise.all([
      api.auth.house(),
      this.#vault(),
      known === null ? login.forget() : null,
    ]);
    const sheet = await this.#takeVault(session, house, reply, known ?? 0);
    return { user: session.user, house, recoverySheet: sheet, joining: [] };
  }

  /** Null: there is none yet. */
  async #vault(): Promise<VaultReply | null> {
    try {
      return await this.#parts.api.users.vault();
    } catch (error) {
      if (isCode(error, 'no_vault')) return null;
      throw error;
    }
  }

  /** `known`: the version of the vault that this browser has seen. */
  async #takeVault(
    session: Session,
    house: string,
    reply: VaultReply | null,
    known: number,
  ): Promise<RecoverySheet | null> {
    const { sealing, api, clock } = this.#parts;
    const { id, name } = session.user;
    // A browser that has seen this person's vault takes "there is none" for what it is.
    if ((reply?.version ?? 0) < known) throw rolledBack();
    if (reply !== null) {
      await this.#openVault({ session, house, reply });
      return null;
    }
    // An account made on the box: its first browser makes the identity.
    const { card, recoverySheet } = await sealing.createIdentity(id, clock.now());
    const { vault, recovery } = await sealing.writeVault(1);
    const version = await api.users.putVault(0, vault, recovery, card);
    await this.#keep(session, house, version, vault);
    return this.#sheet(house, name, recoverySheet);
  }

  async #openVault(keys: LockedKeys): Promise<void> {
    const { sealing } = this.#parts;
    const { session, house, reply } = keys;
    const { id } = session.user;
    const open = (): Promise<void> => sealing.openVault(id, reply.version, reply.vault);
    try {
      // After a reload, root may still lie in this browser.
      await open().catch(async (error: unknown) => {
        if (!(await sealing.wake(id))) throw error;
        await open();
      });
    } catch (cause) {
      throw new KeysLocked(keys, cause);
    }
    // Root was at hand here, and lies under an older password yet: sealed anew under this one.
    if (reply.underLogin) await this.#keep(session, house, reply.version, reply.vault);
    else await this.settle(keys);
  }

  /** Root is at hand: seals it under the password of the last `stretch`, and keeps the login. */
  async settle({ session, house, reply }: LockedKeys): Promise<Arrival> {
    const { api } = this.#parts;
    const { user } = session;
    const how = { underPassword: true, newSheetAt: null } as const;
    const made = await rewriteVault(this.#parts, user.id, reply.version, how, (expected, files) =>
      api.users.putVault(expected, files.vault, files.recovery, null, true),
    );
    await this.#keep(session, house, made.version, made.vault);
    return { user, house, recoverySheet: null, joining: [] };
  }

  /** New keys for somebody who cannot open the old ones. */
  async startAnew({ session, house, reply }: LockedKeys): Promise<Arrival> {
    const { sealing, api, clock } = this.#parts;
    const { user } = session;
    const { card, recoverySheet } = await sealing.createIdentity(user.id, clock.now());
    const { vault, recovery } = await sealing.writeVault(reply.version + 1);
    const version = await api.users.putVault(reply.version, vault, recovery, card, true);
    await this.#keep(session, house, version, vault);
    const sheet = this.#sheet(house, user.name, recoverySheet);
    return { user, house, recoverySheet: sheet, joining: [] };
  }

  /** A login that another browser handed over, with root. */
  async paired(session: Session): Promise<Arrival> {
    const { sealing, api, tokens, login } = this.#parts;
    const { user } = session;
    const kept = await login.read();
    if (kept?.user.id !== user.id) await login.forget();
    await tokens.take(session);
    const house = await api.auth.house();
    const reply = await api.users.vault();
    if (kept?.user.id === user.id && reply.version < kept.vaultVersion) throw rolledBack();
    await sealing.pairEnter(user.id);
    await sealing.openVault(user.id, reply.version, reply.vault);
    await this.#keep(session, house, reply.version, reply.vault);
    return { user, house, recoverySheet: null, joining: [] };
  }

  /** Takes up the login of an earlier page, without the network. */
  async wake(): Promise<Arrival | null> {
    const { login, sealing, tokens } = this.#parts;
    const kept = await login.read();
    if (kept === null || !(await tokens.wake()) || !(await sealing.wake(kept.user.id))) return null;
    await sealing.openVault(kept.user.id, kept.vaultVersion, kept.vault);
    const user = { ...kept.user, statusText: '', lastSeen: null };
    return { user, house: kept.house, recoverySheet: null, joining: [] };
  }
}
