// A refresh secret is used once: the next one is kept for this tab and the others.
import { describe, expect, it } from 'vitest';
import type { AuthApi, Session } from '../api/auth';
import type { LoginStore } from '../local/login';
import { TokenSource } from './tokens';

/** A box that takes each secret once, and gives the next. */
const box = (): { auth: AuthApi; used: string[] } => {
  const used: string[] = [];
  const refresh = (secret: string): Promise<Session> => {
    used.push(secret);
    const next = `secret-${String(used.length)}`;
    return Promise.resolve({ token: `jwt-${next}`, expiresAt: 0, refresh: next } as Session);
  };
  return { auth: { refresh } as AuthApi, used };
};

const safe = (kept: string | null): LoginStore => {
  let secret = kept;
  const keepRefresh = (next: string): Promise<void> => {
    secret = next;
    return Promise.resolve();
  };
  return { refresh: () => Promise.resolve(secret), keepRefresh } as LoginStore;
};

const tab = async (login: LoginStore, auth: AuthApi): Promise<TokenSource> => {
  const tokens = new TokenSource(login, () => 0);
  tokens.attach(auth);
  await tokens.wake();
  return tokens;
};

describe('the refresh secret', () => {
  it('is never used twice, whichever tab renews', async () => {
    const { auth, used } = box();
    const login = safe('first');
    const [one, two] = [await tab(login, auth), await tab(login, auth)];
    expect(await one.renew()).toBe('jwt-secret-1');
    expect(await two.renew()).toBe('jwt-secret-2');
    expect(await one.renew()).toBe('jwt-secret-3');
    expect(used).toEqual(['first', 'secret-1', 'secret-2']);
  });

  it('that comes after a log-out is not kept', async () => {
    const { auth } = box();
    const login = safe('first');
    const tokens = await tab(login, auth);
    const renewing = tokens.renew();
    tokens.forget();
    expect(await renewing).toBeNull();
    expect(await login.refresh()).toBe('first');
  });
});
