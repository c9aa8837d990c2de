// Coming back without the right password: a link for a new one, the sheet, another browser.
import { isCode } from '../api/error';
import { b64u, concat } from '../protocol/bytes';
import { SealingError } from '../sealing/kdf';
import type { AccountState, Door } from './account_model';
import type { Parts } from './deps';
import { KeysLocked, type Arrival, type Entrance, type LockedKeys } from './entrance';
import type { Credentials } from './model';
import { NewBrowserPairing } from './pairing';
import { ProblemError } from './problem';

export interface ComingBackEvents {
  readonly entry: Parts['entry'];
  readonly changed: (change: Partial<AccountState>) => void;
  /** Signed in, keys and all. */
  readonly arrived: (arrival: Arrival) => Promise<void>;
  /** Came in as a guest: the invite is used already. */
  readonly visited: (arrival: Arrival) => Promise<void>;
}

const SALT = 16;

interface Locked {
  readonly keys: LockedKeys;
  readonly credentials: Credentials;
}

export class ComingBack {
  readonly #parts: Parts;
  readonly #entrance: Entrance;
  readonly #events: ComingBackEvents;
  #locked: Locked | null = null;
  #pairing: NewBrowserPairing | null = null;

  constructor(parts: Parts, entrance: Entrance, events: ComingBackEvents) {
    this.#parts = parts;
    this.#entrance = entrance;
    this.#events = events;
  }

  #show(door: Door | null): void {
    this.#events.changed({ door });
  }

  /** The first screen, where the address asks for one of these. */
  begin(): boolean {
    if (this.#events.entry.kind !== 'reset') return false;
    this.#show({ kind: 'reset', done: null });
    return true;
  }

  /** Signs in; a vault that stays closed leads to the ways to open it. */
  async login(credentials: Credentials): Promise<void> {
    let arrival: Arrival;
    try {
      arrival = await this.#entrance.login(credentials);
    } catch (error) {
      if (!(error instanceof KeysLocked)) throw error;
      this.#locked = { keys: error.keys, credentials };
      return this.#show({ kind: 'locked', name: credentials.name });
    }
    await this.#enter(arrival);
  }

  async #enter(arrival: Arrival): Promise<void> {
    this.#locked = null;
    await this.#events.arrived(arrival);
    this.#show(null);
  }

  async reset(password: string): Promise<void> {
    const { api, sealing, login, cost, random } = this.#parts;
    const { entry } = this.#events;
    if (entry.kind !== 'reset') throw new ProblemError('no_reset', 'this is no such link', '');
    const salt = random(SALT);
    const authKey = await sealing.stretch(password, salt, cost);
    const name = await api.account
      .reset(entry.secret, { salt, cost, authKey })
      .catch((error: unknown) => {
        if (!isCode(error, 'not_found') && !isCode(error, 'gone')) throw error;
        const hint = 'ask an admin of the house for a new one';
        throw new ProblemError('reset_gone', 'this link is no longer good', hint, error);
      });
    const kept = await login.read();
    // Somebody else's browser: they stay signed in here.
    if (kept !== null && kept.user.name !== name) return this.#show({ kind: 'reset', done: name });
    await this.login({ name, password });
  }

  async visit(displayName: string): Promise<void> {
    const { entry } = this.#events;
    if (entry.kind !== 'join') throw new ProblemError('no_invite', 'this is no invite link', '');
    await this.#events.visited(await this.#entrance.visit(entry.code, entry.key, displayName));
  }

  #need(): Locked {
    if (this.#locked !== null) return this.#locked;
    throw new ProblemError('sign_in', 'nobody is signed in', 'sign in');
  }

  /** Opens the keys by `open`, then seals them under the password that one signs in with. */
  async #unlock(open: (locked: Locked) => Promise<void>, wrong: ProblemError): Promise<void> {
    const { sealing, api } = this.#parts;
    const { keys, credentials } = this.#need();
    const { name, password } = credentials;
    const { id } = keys.session.user;
    try {
      await open({ keys, credentials });
      // What the vault knows besides root, under the box's version: an old file does not pass.
      await sealing.openVault(id, keys.reply.version, keys.reply.vault);
    } catch (error) {
      if (error instanceof SealingError) throw wrong;
      throw error;
    }
    const { salt, cost } = await api.auth.params(name);
    await sealing.stretch(password, salt, cost);
    await this.#enter(await this.#entrance.settle(keys));
  }

  openWithSheet(code: string): Promise<void> {
    const wrong = new ProblemError(
      'wrong_sheet',
      'this code does not open your keys',
      'compare it with the sheet; a newer sheet ends the one before',
    );
    return this.#unlock(async ({ keys }) => {
      const { id } = keys.session.user;
      const typed = code.toUpperCase().replace(/[^A-Z0-9-]/g, '');
      await this.#parts.sealing.openRecovery(id, keys.reply.recovery, typed);
    }, wrong);
  }

  openWithOldPassword(password: string): Promise<void> {
    const wrong = new ProblemError('wrong_password', 'that password does not open your keys', '');
    return this.#unlock(async ({ keys }) => {
      const { salt, cost } = keys.reply;
      await this.#parts.sealing.stretch(password, salt, cost);
    }, wrong);
  }

  async startAnew(): Promise<void> {
    const { sealing, api } = this.#parts;
    const { keys, credentials } = this.#need();
    const { salt, cost } = await api.auth.params(credentials.name);
    await sealing.stretch(credentials.password, salt, cost);
    await this.#enter(await this.#entrance.startAnew(keys));
  }

  async pairHere(): Promise<void> {
    this.#pairing?.stop();
    const { origin } = this.#parts;
    const pairing = new NewBrowserPairing(this.#parts, {
      link: (channel, key) => `${origin}/pair#${b64u(concat(channel, key))}`,
      changed: (step) => {
        if (this.#pairing === pairing) this.#show({ kind: 'pairing', pairing: step });
      },
      given: (refresh) => this.#given(refresh),
    });
    this.#pairing = pairing;
    await pairing.start();
  }

  /** Another browser handed its keys over, with a login. */
  async #given(refresh: string): Promise<void> {
    const { api, sealing } = this.#parts;
    const session = await api.auth.refresh(refresh);
    const locked = this.#locked;
    // Signed in here already, with a new password: its login is used, the handed one is not needed.
    const same = locked !== null && locked.keys.session.user.id === session.user.id;
    const arrival = await this.#entrance.paired(session);
    this.#pairing = null;
    if (!same) return this.#enter(arrival);
    const { name, password } = locked.credentials;
    const { salt, cost } = await api.auth.params(name);
    await sealing.stretch(password, salt, cost);
    const reply = await api.users.vault();
    await this.#enter(await this.#entrance.settle({ ...locked.keys, session, reply }));
  }

  /** From the pairing back to where one was; from elsewhere back to the login. */
  async leave(): Promise<void> {
    this.#pairing?.stop();
    const wasPairing = this.#pairing !== null;
    this.#pairing = null;
    await this.#parts.sealing.pairEnd();
    if (wasPairing && this.#locked !== null) {
      return this.#show({ kind: 'locked', name: this.#locked.credentials.name });
    }
    if (this.#locked !== null) {
      // Nothing was opened: this login is of no use.
      await this.#parts.api.auth.logout().catch(() => null);
      this.#parts.tokens.forget();
      this.#locked = null;
    }
    this.#show(null);
  }
}
