// The service worker: keeps the app's own files, so that it starts without the network. The build
// puts in which files there are.
import { cached } from './rules';

/** Filled in by the build: the app's files, and what changes with any of them. */
declare const __SHELL_FILES__: readonly string[];
declare const __SHELL_VERSION__: string;

interface LaterEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface AskedEvent extends LaterEvent {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Scope {
  readonly location: Location;
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(kind: 'install' | 'activate', run: (event: LaterEvent) => void): void;
  addEventListener(kind: 'fetch', run: (event: AskedEvent) => void): void;
  addEventListener(kind: 'message', run: (event: MessageEvent<unknown>) => void): void;
}

// The types of pages know no service worker.
const scope = globalThis as unknown as Scope;
const NAMES = 'hearth-shell-';
const NAME = NAMES + __SHELL_VERSION__;
const own = { origin: scope.location.origin, files: new Set(__SHELL_FILES__) };

/** Asked for anew, or from the browser's cache where the name says what is in it. */
const fresh = (path: string): Request =>
  new Request(path, { cache: path.startsWith('/assets/') ? 'default' : 'reload' });

async function keep(): Promise<void> {
  const cache = await caches.open(NAME);
  await cache.addAll(__SHELL_FILES__.map(fresh));
}

/** Tabs that are still open use the version before this one: that one stays. */
async function forgetOld(): Promise<void> {
  const names = (await caches.keys()).filter((name) => name.startsWith(NAMES) && name !== NAME);
  await Promise.all(names.slice(0, -1).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function answer(path: string, request: Request): Promise<Response> {
  const here = await (await caches.open(NAME)).match(path);
  return here ?? (await caches.match(path)) ?? fetch(request);
}

scope.addEventListener('install', (event) => event.waitUntil(keep()));
scope.addEventListener('activate', (event) => event.waitUntil(forgetOld()));
scope.addEventListener('message', ({ data }) => {
  if (data === 'take over') void scope.skipWaiting();
});
scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  const { method, mode } = request;
  // A file of the version before, asked for by a tab that is still open.
  const before = pathname.startsWith('/assets/') && origin === own.origin && method === 'GET';
  const path = cached({ method, mode, origin, path: pathname }, own) ?? (before ? pathname : null);
  if (path !== null) event.respondWith(answer(path, request));
});
