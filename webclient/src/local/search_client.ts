// The page's end of the index: the worker starts with the first request.
import { callsOf } from './calls';
import type { Search } from './search_index';

const METHODS = ['load', 'feed', 'find', 'answers', 'changed', 'forget'];

/** An index in a worker of its own. */
export function startSearch(): Search {
  let calls: Search | null = null;
  const started = (): Search => {
    if (calls !== null) return calls;
    const worker = new Worker(new URL('./search_worker.ts', import.meta.url), { type: 'module' });
    calls = callsOf<Search>(worker, METHODS, ({ message }) => new Error(message));
    return calls;
  };
  return {
    load: (part) => started().load(part),
    feed: (room, entries) => started().feed(room, entries),
    find: (query) => started().find(query),
    answers: (room, parent) => started().answers(room, parent),
    changed: () => started().changed(),
    forget: async () => (calls === null ? undefined : calls.forget()),
  };
}
