// The account's actions as the screens call them: before signing in, and after.
import { OwnAccount, type OwnAccountEvents } from './account';
import type * as m from './account_model';
import { ComingBack } from './coming_back';
import type { Parts } from './deps';
import type { Arrival, Entrance } from './entrance';
import type { User } from '../api/users';
import type { Credentials, RecoverySheet, Work } from './model';
import { ProblemError } from './problem';

export interface AccountEvents {
  readonly changed: (change: Partial<m.AccountState>) => void;
  readonly shown: OwnAccountEvents['shown'];
  readonly renewKeys: (password: string) => Promise<void>;
  readonly arrived: (arrival: Arrival) => Promise<void>;
  /** Came in as a guest: the invite is used already. */
  readonly visited: (arrival: Arrival) => Promise<void>;
  readonly failed: (error: unknown) => void;
  /** Runs an action as the application does: what it is busy with, what goes wrong as a Problem. */
  readonly act: <T>(working: Work | null, run: () => Promise<T>) => Promise<T>;
}

export class AccountArea implements m.AccountActions {
  readonly #parts: Parts;
  readonly #events: AccountEvents;
  readonly #back: ComingBack;
  #own: OwnAccount | null = null;

  constructor(parts: Parts, entrance: Entrance, events: AccountEvents) {
    this.#parts = parts;
    this.#events = events;
    const { entry } = parts;
    this.#back = new ComingBack(parts, entrance, { ...events, entry });
  }

  /** Whether the address asks for a screen of this area first. */
  begin(): boolean {
    return this.#back.begin();
  }

  login(credentials: Credentials): Promise<void> {
    return this.#back.login(credentials);
  }

  /** Somebody is signed in. */
  entered({ id, role }: User): void {
    this.#own = new OwnAccount(this.#parts, id, this.#events);
    // A guest is told how long the stay is.
    if (role === 'guest') this.#own.load().catch(this.#events.failed);
    const { entry } = this.#parts;
    if (entry.kind === 'pair') this.#own.answerPairing(entry.offer).catch(this.#events.failed);
  }

  left(): void {
    this.#own = null;
  }

  get #mine(): OwnAccount {
    if (this.#own !== null) return this.#own;
    throw new ProblemError('sign_in', 'nobody is signed in', 'sign in');
  }

  #act<T>(run: () => Promise<T>, working: Work | null = null): Promise<T> {
    return this.#events.act(working, run);
  }

  reset(password: string): Promise<void> {
    return this.#act(() => this.#back.reset(password), 'password');
  }

  visit(displayName: string): Promise<void> {
    return this.#act(() => this.#back.visit(displayName), 'identity');
  }

  openWithSheet(code: string): Promise<void> {
    return this.#act(() => this.#back.openWithSheet(code), 'password');
  }

  openWithOldPassword(password: string): Promise<void> {
    return this.#act(() => this.#back.openWithOldPassword(password), 'password');
  }

  startAnew(): Promise<void> {
    return this.#act(() => this.#back.startAnew(), 'identity');
  }

  pairHere(): Promise<void> {
    return this.#act(() => this.#back.pairHere());
  }

  leaveDoor(): Promise<void> {
    return this.#act(() => this.#back.leave());
  }

  load(): Promise<void> {
    return this.#act(() => this.#mine.load());
  }

  changePicture(picture: Blob | null): Promise<void> {
    return this.#act(() => this.#mine.changePicture(picture));
  }

  changeProfile(edit: m.ProfileEdit): Promise<void> {
    return this.#act(() => this.#mine.changeProfile(edit));
  }

  changePassword(old: string, next: string): Promise<void> {
    return this.#act(() => this.#mine.changePassword(old, next), 'password');
  }

  newSheet(): Promise<RecoverySheet> {
    return this.#act(() => this.#mine.newSheet());
  }

  endLogin(id: string): Promise<void> {
    return this.#act(() => this.#mine.endLogin(id));
  }

  endOtherLogins(): Promise<void> {
    return this.#act(() => this.#mine.endOtherLogins());
  }

  lostDevice(password: string): Promise<void> {
    return this.#act(() => this.#mine.lostDevice(password), 'identity');
  }

  makeToken(input: m.NewToken): Promise<string> {
    return this.#act(() => this.#mine.makeToken(input));
  }

  endToken(id: string): Promise<void> {
    return this.#act(() => this.#mine.endToken(id));
  }

  answerPairing(code: string): Promise<void> {
    return this.#act(() => this.#mine.answerPairing(code));
  }

  confirmPairing(same: boolean, label: string): Promise<void> {
    return this.#act(() => this.#mine.confirmPairing(same, label));
  }

  endPairing(): void {
    this.#own?.endPairing();
  }
}
