// The page: what touches the world is put together here, the address read, the screens mounted.
import { mount } from 'svelte';
import App from './App.svelte';
import { sendWithProgress } from './api/progress';
import { memorySafe, openSafe } from './local/safe';
import { startSearch } from './local/search_client';
import { keepShell } from './local/shell';
import { openShelf } from './local/shelf';
import { DEFAULT_COST } from './protocol/cost';
import { startFileWork, startSealing } from './sealing/client';
import { wallClock } from './session/clock';
import { openChannel, webLocksLeadership } from './session/leader';
import { library, mqttTransport } from './session/mqtt';
import { createApp } from './state/app';
import { browserLabel } from './state/browser_label';
import { parseEntry } from './state/entry';
import { prepareWords } from './ui/words/catalogue.svelte';

/** A browser without idle callbacks has that much time, ms. */
const IDLE_MS = 500;

const whenIdle = (run: () => void): void => {
  if ('requestIdleCallback' in globalThis) requestIdleCallback(run);
  else setTimeout(run, IDLE_MS);
};

const entry = parseEntry(location.pathname, location.hash);
// The fragment holds keys: out of the address bar and the history, before anything else.
if (entry.kind !== 'plain') history.replaceState(null, '', '/');

const shelf = openShelf();
const locks: LockManager | undefined = navigator.locks;
const scheme = location.protocol === 'https:' ? 'wss' : 'ws';

const { sealing, begin } = startSealing();

/** What is behind the door, fetched while somebody stands before it; what fails is asked for again. */
function prepare(): void {
  begin();
  for (const part of [library(), import('./state/home'), import('./ui/Shell.svelte')]) {
    part.catch(() => null);
  }
}
// Who types or taps at a door soon needs keys and rooms.
for (const kind of ['input', 'pointerdown'] as const) {
  addEventListener(kind, prepare, { once: true, capture: true });
}

const app = createApp({
  entry,
  origin: location.origin,
  hostname: location.hostname,
  cost: DEFAULT_COST,
  label: browserLabel(navigator.userAgent),
  fetch: (path, init) =>
    init.progress === undefined ? fetch(path, init) : sendWithProgress(path, init),
  transport: mqttTransport(`${scheme}://${location.host}/mqtt`),
  sealing,
  fileWork: startFileWork(),
  shelf,
  safe: isSecureContext ? openSafe(shelf) : memorySafe(),
  clock: wallClock,
  chance: () => Math.random(),
  random: (length) => crypto.getRandomValues(new Uint8Array(length)),
  leadership: webLocksLeadership(locks, openChannel()),
  network: {
    online: () => navigator.onLine,
    onChange: (run) => {
      addEventListener('online', run);
      addEventListener('offline', run);
    },
  },
  search: startSearch(),
  attention: {
    seen: () => document.visibilityState === 'visible',
    onChange: (run) => document.addEventListener('visibilitychange', run),
  },
});

const target = document.getElementById('app');
if (target === null) throw new Error('index.html has no #app');
// While developing the server has every file anew.
const updates = keepShell(import.meta.env.PROD ? navigator.serviceWorker : undefined);
await prepareWords();
mount(App, { target, props: { app, updates } });
void app.start().then(() => whenIdle(prepare));
