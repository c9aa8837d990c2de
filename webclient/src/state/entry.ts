// Where the person came in: by a link for set-up, an invite, a new password or a pairing; or plainly.
import type { Entry } from './model';

/** Reads `/setup#…`, `/i/CODE#KEY`, `/reset#…` and `/pair#…`; anything else is plain. */
export function parseEntry(path: string, fragment: string): Entry {
  const secret = fragment.replace(/^#/, '');
  if (path === '/setup' && /^[A-Za-z0-9_-]{22}$/.test(secret)) return { kind: 'setup', secret };
  if (path === '/reset' && /^[A-Za-z0-9_-]{64}$/.test(secret)) return { kind: 'reset', secret };
  if (path === '/pair' && /^[A-Za-z0-9_-]{64}$/.test(secret))
    return { kind: 'pair', offer: secret };
  const invite = /^\/i\/([0-9A-Za-z]{10})$/.exec(path);
  const code = invite?.[1]?.toUpperCase();
  if (code !== undefined && /^[A-Za-z0-9_-]{43}$/.test(secret)) {
    return { kind: 'join', code, key: secret };
  }
  return { kind: 'plain' };
}
