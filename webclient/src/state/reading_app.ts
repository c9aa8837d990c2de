// The actions of reading, as screens get them: what goes wrong is told, or goes to whoever asked.
import { parseId } from '../protocol/ids';
import type { Home } from './home';
import { ProblemError } from './problem';
import type { Reading } from './reading_model';
import { moderatorsOf, reportMessage } from './reporting';

export interface ReadingAppDeps {
  readonly here: () => Home;
  /** Null: nobody is signed in. */
  readonly home: () => Home | null;
  /** What goes wrong is a Problem, told to whoever asked. */
  readonly act: <T>(run: () => Promise<T>) => Promise<T>;
  /** What goes wrong is told by the state. */
  readonly run: (run: () => Promise<void>) => Promise<void>;
}

export function readingApp({ here, home, act, run }: ReadingAppDeps): Reading {
  /** The open room, after `change` as the box has it. */
  const changeRoom = async (
    change: (room: Home, id: string) => Promise<unknown>,
  ): Promise<void> => {
    const { current } = here();
    if (current === null) throw new ProblemError('no_room', 'no room is open', 'open a room');
    await change(here(), current.room.id);
    await here().rooms.sync();
  };
  return {
    newer: () => run(() => here().library.reading.newer()),
    goTo: async (spot) => {
      let found: number | null = null;
      await run(async () => void (found = await here().library.reading.goTo(spot)));
      return found;
    },
    toNewest: () => run(() => here().library.reading.toNewest()),
    follow: (atEnd) => home()?.library.reading.follow(atEnd),
    find: (sought, limit) => act(() => here().library.search.find(sought, limit)),
    openThread: (id) => run(() => here().library.thread.open(id)),
    closeThread: () => home()?.library.thread.close(),
    pin: (id, on) =>
      run(() =>
        changeRoom((inside, room) => {
          const { rooms } = inside.parts.api;
          return on
            ? rooms.pin(parseId(room), parseId(id))
            : rooms.unpin(parseId(room), parseId(id));
        }),
      ),
    report: (id, reason, show) => act(() => reportMessage(here(), id, reason, show)),
    moderators: (id) => act(() => moderatorsOf(here(), id)),
  };
}
