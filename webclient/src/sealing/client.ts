// The page's end of the sealing worker: `Sealing`, each request posted and its answer awaited.
import { callsOf } from '../local/calls';
import type { Sealing } from './requests';
import { errorOf, METHODS } from './rpc';

/** Talks to a worker that answers with `rpc.answer`. */
export function sealingOf(worker: Worker): Sealing {
  return callsOf<Sealing>(worker, METHODS, errorOf);
}

/** Starts the worker. */
export function startSealing(): Sealing {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
  return sealingOf(worker);
}
