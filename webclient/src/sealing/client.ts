// The page's ends of the sealing workers: each request posted and its answer awaited.
import { callsOf } from '../local/calls';
import type { FileWork } from './file_work';
import type { Sealing } from './requests';
import { errorOf, FILE_METHODS, METHODS } from './rpc';

/** Talks to the worker that holds the keys. */
export const sealingOf = (worker: Worker): Sealing => callsOf<Sealing>(worker, METHODS, errorOf);

/** Talks to the worker for files. */
export const fileWorkOf = (worker: Worker): FileWork =>
  callsOf<FileWork>(worker, FILE_METHODS, errorOf);

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
