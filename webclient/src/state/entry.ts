// Where the person came in: by a link for set-up, an invite, a new password or a pairing; or plainly.

/** Where the person came in: the address, with its fragment already taken out of the bar. */
export type Entry =
  | { readonly kind: 'plain' }
  | { readonly kind: 'setup'; readonly secret: string }
  | { readonly kind: 'join'; readonly code: string; readonly key: string }
  /** An admin's link for a new password. */
  | { readonly kind: 'reset'; readonly secret: string }
  /** A new browser's offer, opened in a signed-in one. */
  | { readonly kind: 'pair'; readonly offer: string };

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
