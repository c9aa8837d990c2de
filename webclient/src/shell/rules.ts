// What the service worker answers from its cache: the app's own files, and its page. Nothing else:
// no answer of the box, no file of a message, ever lies there.

export interface Asked {
  readonly method: string;
  /** `navigate` for a page. */
  readonly mode: string;
  readonly origin: string;
  readonly path: string;
}

/** Where an answer comes from: a file of the app by its path, or null: the network, untouched. */
export function cached(
  asked: Asked,
  own: { origin: string; files: ReadonlySet<string> },
): string | null {
  if (asked.method !== 'GET' || asked.origin !== own.origin) return null;
  if (asked.mode === 'navigate') return isPage(asked.path) ? PAGE : null;
  return own.files.has(asked.path) && asked.path !== SELF ? asked.path : null;
}

/** The page, as it is kept. */
export const PAGE = '/';
const SELF = '/sw.js';

/** The addresses of the app: itself, and the links that lead into it. */
const isPage = (path: string): boolean =>
  ['/', '/setup', '/reset', '/pair'].includes(path) || path.startsWith('/i/');
