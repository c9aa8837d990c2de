// Moving about in the gallery's room: everything is here already, and a search finds two messages.
import type { TimelineItem } from '../../state/model';
import type { Reading, ReadingView } from '../../state/reading_model';
import type { Found, Snippet } from '../../state/search_model';
import { anna, jonas, mila, oma } from './people';

export const atTheNewest: ReadingView = {
  atNewest: true,
  loadingNewer: false,
  below: 0,
  answers: new Map(),
  firstNew: null,
  thread: null,
  pins: [],
};

/** Far up in a room: two pins, answers to some messages, news below. */
export function farUp(timeline: readonly TimelineItem[]): ReadingView {
  const said = timeline.filter((item) => item.kind === 'message');
  const [first, second] = said;
  return {
    ...atTheNewest,
    atNewest: false,
    below: 12,
    answers: new Map(said.slice(0, 2).map(({ id }, n) => [id, n + 1])),
    pins: [
      {
        id: second?.id ?? '',
        position: 2,
        by: anna,
        name: oma.displayName,
        text: 'The spare key hangs behind the cellar door, left of the fuse box, on the red ribbon.',
      },
      { id: first?.id ?? '', position: 1, by: anna, name: null, text: null },
    ],
    thread: { parent: first?.id ?? '', loading: false, items: said.slice(0, 3) },
  };
}

const nothing = (): Promise<void> => Promise.resolve();

const said = (n: number, sender: typeof anna, text: string): Snippet => ({
  id: `hit-${n}`,
  position: n,
  at: Date.UTC(2026, 2, n, 18, 5),
  sender,
  name: sender.displayName,
  text,
});

const found: readonly Found[] = [
  {
    room: { id: 'r-general', name: 'General' },
    hit: said(12, jonas, 'Crème brûlée needs the small torch, and that is with Oma since Easter.'),
    before: said(11, mila, 'What do we need for Saturday?'),
    after: said(13, oma, 'I bring it along.'),
    terms: ['creme', 'torch'],
  },
  {
    room: { id: 'r-garden', name: 'Garden' },
    hit: said(3, anna, 'The torch is in the shed.'),
    before: null,
    after: null,
    terms: ['torch'],
  },
];

export const fakeReading: Reading = {
  newer: nothing,
  goTo: () => Promise.resolve(null),
  toNewest: nothing,
  follow: () => undefined,
  openThread: nothing,
  closeThread: () => undefined,
  pin: nothing,
  report: nothing,
  moderators: () => Promise.resolve([anna, jonas]),
  find: () =>
    Promise.resolve({
      found,
      more: false,
      coverage: { since: Date.UTC(2026, 1, 3), complete: false },
    }),
};
