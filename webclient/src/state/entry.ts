// Where the person came in: set-up link, invite link, or plainly.
import type { Entry } from './model';

/** Reads `/setup#SECRET` and `/i/CODE#KEY`; anything else is plain. */
export function parseEntry(path: string, fragment: string): Entry {
  const secret = fragment.replace(/^#/, '');
  if (path === '/setup' && /^[A-Za-z0-9_-]{22}$/.test(secret)) return { kind: 'setup', secret };
  const invite = /^\/i\/([0-9A-Za-z]{10})$/.exec(path);
  const code = invite?.[1]?.toUpperCase();
  if (code !== undefined && /^[A-Za-z0-9_-]{43}$/.test(secret)) {
    return { kind: 'join', code, key: secret };
  }
  return { kind: 'plain' };
}
