// The token in force and how it is renewed: one renewal at a time, whoever asks.
import type { AuthApi, Session } from '../api/auth';
import { ApiError } from '../api/error';
import type { LoginStore } from '../local/login';

/** Renewed this long before it ends, ms. */
const EARLY_MS = 60_000;

export class TokenSource {
  #session: { readonly token: string; readonly expiresAt: number } | null = null;
  #refresh: string | null = null;
  #renewing: Promise<string | null> | null = null;
  readonly #now: () => number;
  readonly #login: LoginStore;
  #auth: AuthApi | null = null;

  constructor(login: LoginStore, now: () => number) {
    this.#login = login;
    this.#now = now;
  }

  /** The api that renews; it needs these tokens itself, hence the second step. */
  attach(auth: AuthApi): void {
    this.#auth = auth;
  }

  current = (): string | null => this.#session?.token ?? null;

  /** Takes a new login, for this page. */
  hold(session: Session): void {
    this.#session = session;
    this.#refresh = session.refresh;
  }

  /** Takes a new login and keeps its refresh secret in the safe. */
  async take(session: Session): Promise<void> {
    this.hold(session);
    await this.#login.keepRefresh(session.refresh);
  }

  /** Takes up the login of an earlier page; false when there is none. */
  async wake(): Promise<boolean> {
    this.#refresh = await this.#login.refresh();
    return this.#refresh !== null;
  }

  forget(): void {
    this.#session = null;
    this.#refresh = null;
  }

  /** A token that lasts a while yet; null: the login has ended. Rejects when the box is away. */
  async fresh(): Promise<string | null> {
    const kept = this.#session;
    return kept !== null && kept.expiresAt - EARLY_MS > this.#now() ? kept.token : this.renew();
  }

  renew = (): Promise<string | null> => {
    this.#renewing ??= this.#renew().finally(() => (this.#renewing = null));
    return this.#renewing;
  };

  async #renew(): Promise<string | null> {
    if (this.#refresh === null || this.#auth === null) return null;
    try {
      // Another tab may have renewed it: one that was used before ends the login.
      const session = await this.#auth.refresh((await this.#login.refresh()) ?? this.#refresh);
      // Signed out meanwhile: nothing of it is kept.
      if (this.#refresh === null) return null;
      await this.take(session);
      return session.token;
    } catch (error) {
      // Ended elsewhere, or the account itself: blocked, or a guest's whose time is over.
      if (error instanceof ApiError && [401, 403, 410].includes(error.status)) return null;
      throw error;
    }
  }
}
