// The page's end of a worker: each request posted and its answer awaited.
import type { FileWork } from './file_work';
import { SealingError } from './kdf';
import type { Sealing } from './requests';
import { errorOf, FILE_METHODS, METHODS, type Answer } from './rpc';

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Each method as a request to a worker that answers with `rpc.answer`. */
function requestsTo(worker: Worker, methods: readonly string[]): object {
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
  return Object.fromEntries(methods.map((method) => [method, call(method)]));
}

// The worker's end is typed by the same interface, and the methods are all of it.

/** Talks to the worker that holds the keys. */
export const sealingOf = (worker: Worker): Sealing => requestsTo(worker, METHODS) as Sealing;

/** Talks to the worker for files. */
export const fileWorkOf = (worker: Worker): FileWork =>
  requestsTo(worker, FILE_METHODS) as FileWork;

/** Starts the worker. */
export function startSealing(): Sealing {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  return sealingOf(worker);
}

/** A worker for files, started when the first one comes. */
export function startFileWork(): FileWork {
  let started: FileWork | null = null;
  const work = (): FileWork => {
    started ??= fileWorkOf(
      new Worker(new URL('./file_worker.ts', import.meta.url), { type: 'module' }),
    );
    return started;
  };
  return {
    seal: (file) => work().seal(file),
    open: (seal, file) => work().open(seal, file),
    picture: (file, keep) => work().picture(file, keep),
  };
}
