// The page's end of the sealing worker: `Sealing`, each request posted and its answer awaited.
import { SealingError } from './kdf';
import type { Sealing } from './requests';
import { errorOf, METHODS, type Answer } from './rpc';

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Talks to a worker that answers with `rpc.answer`. */
export function sealingOf(worker: Worker): Sealing {
  const pending = new Map<number, Pending>();
  let last = 0;
  worker.addEventListener('message', (event: MessageEvent<Answer>) => {
    const waiting = pending.get(event.data.n);
    pending.delete(event.data.n);
    if (waiting === undefined) return;
    if ('error' in event.data) waiting.reject(errorOf(event.data.error));
    else waiting.resolve(event.data.value);
  });
  worker.addEventListener('error', () => {
    const error = new SealingError('the sealing worker stopped: reload the page');
    for (const waiting of pending.values()) waiting.reject(error);
    pending.clear();
  });
  const call =
    (method: string) =>
    (...args: unknown[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const n = ++last;
        pending.set(n, { resolve, reject });
        worker.postMessage({ n, method, args });
      });
  // Every method of Sealing is a request; the worker's end is typed by the same interface.
  return Object.fromEntries(METHODS.map((method) => [method, call(method)])) as unknown as Sealing;
}

/** Starts the worker. */
export function startSealing(): Sealing {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  return sealingOf(worker);
}
