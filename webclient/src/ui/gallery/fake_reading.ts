// Moving about in the gallery's room: everything is here already.
import type { Reading, ReadingView } from '../../state/reading_model';

export const atTheNewest: ReadingView = {
  atNewest: true,
  loadingNewer: false,
  below: 0,
  answers: new Map(),
  firstNew: null,
  thread: null,
  pins: [],
};

const nothing = (): Promise<void> => Promise.resolve();

export const fakeReading: Reading = {
  newer: nothing,
  goTo: () => Promise.resolve(null),
  toNewest: nothing,
  follow: () => undefined,
  openThread: nothing,
  closeThread: () => undefined,
  pin: nothing,
  report: nothing,
  find: () =>
    Promise.resolve({ found: [], more: false, coverage: { since: null, complete: true } }),
};
