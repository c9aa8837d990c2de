// The page's ends of the sealing workers: each request posted and its answer awaited.
import { callsOf } from '../local/calls';
import type { FileWork } from './file_work';
import type { Sealing } from './requests';
import { errorOf, FILE_METHODS, METHODS } from './rpc';

type Ends = Pick<Worker, 'addEventListener' | 'postMessage'>;

/** Talks to the worker that holds the keys. */
export const sealingOf = (worker: Ends): Sealing => callsOf<Sealing>(worker, METHODS, errorOf);

/** Talks to the worker for files. */
export const fileWorkOf = (worker: Ends): FileWork =>
  callsOf<FileWork>(worker, FILE_METHODS, errorOf);

/** A worker that starts with the first request, or before it with `begin`. */
class LateWorker {
  #worker: Worker | null = null;
  readonly #start: () => Worker;
  readonly #listeners: [string, EventListenerOrEventListenerObject][] = [];

  constructor(start: () => Worker) {
    this.#start = start;
  }

  readonly begin = (): Worker => {
    if (this.#worker !== null) return this.#worker;
    const worker = this.#start();
    for (const [type, listener] of this.#listeners) worker.addEventListener(type, listener);
    this.#worker = worker;
    return worker;
  };

  addEventListener(type: string, listener: EventListenerOrEventListenerObject): void {
    this.#listeners.push([type, listener]);
    this.#worker?.addEventListener(type, listener);
  }

  postMessage(message: unknown): void {
    this.begin().postMessage(message);
  }
}

/** The worker that holds the keys. `begin`: it will be needed soon. */
export function startSealing(): { readonly sealing: Sealing; readonly begin: () => void } {
  const worker = new LateWorker(
    () => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }),
  );
  return { sealing: sealingOf(worker), begin: () => void worker.begin() };
}

/** A worker for files, started when the first one comes. */
export const startFileWork = (): FileWork =>
  fileWorkOf(
    new LateWorker(
      () => new Worker(new URL('./file_worker.ts', import.meta.url), { type: 'module' }),
    ),
  );
