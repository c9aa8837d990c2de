// The installed app: registers the service worker, and tells when a newer version waits.

export interface ShellUpdates {
  /** Whether a newer version is here and waits; told at once, then at each change. */
  subscribe(run: (waiting: boolean) => void): () => void;
  /** Takes the newer version: the page is loaded anew. */
  apply(): void;
}

const HOUR_MS = 3_600_000;

/** Without service workers (plain http beyond loopback) nothing is kept and nothing waits. */
export function keepShell(container: ServiceWorkerContainer | undefined): ShellUpdates {
  const listeners = new Set<(waiting: boolean) => void>();
  let waiting: ServiceWorker | null = null;
  let wanted = false;

  const found = (worker: ServiceWorker | null): void => {
    // The first one of all is no update.
    if (worker === null || container?.controller === null) return;
    waiting = worker;
    for (const run of listeners) run(true);
  };
  const watch = (registration: ServiceWorkerRegistration): void => {
    found(registration.waiting);
    registration.addEventListener('updatefound', () => {
      const next = registration.installing;
      next?.addEventListener('statechange', () => {
        if (next.state === 'installed') found(next);
      });
    });
    // Without the network it is looked for the next time.
    setInterval(() => void registration.update().catch(() => undefined), HOUR_MS);
  };
  container?.addEventListener('controllerchange', () => {
    if (wanted) location.reload();
  });
  container?.register('/sw.js').then(watch, (error: unknown) => {
    console.warn('Hearth will not start without the network:', error);
  });
  return {
    subscribe: (run) => {
      listeners.add(run);
      run(waiting !== null);
      return () => void listeners.delete(run);
    },
    apply: () => {
      wanted = true;
      waiting?.postMessage('take over');
    },
  };
}
