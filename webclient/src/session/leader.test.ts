// One tab leads: the others wait in line, take over when told, and the old leader steps back.
import { expect, test } from 'vitest';
import { webLocksLeadership, type Channel } from './leader';

type Run = (lock: Lock | null) => Promise<unknown>;

/** Web Locks for one name, as a browser has them for all its tabs. */
class Locks {
  #queue: { run: Run; resolve: (value: unknown) => void; reject: (error: Error) => void }[] = [];
  #held: { reject: (error: Error) => void } | null = null;

  request = (_name: string, options: LockOptions, run: Run): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const waiting = { run, resolve, reject };
      if (options.steal === true) {
        this.#held?.reject(new Error('stolen'));
        this.#held = null;
        this.#queue.unshift(waiting);
      } else {
        this.#queue.push(waiting);
      }
      this.#next();
    });

  query = async (): Promise<LockManagerSnapshot> => ({
    held: this.#held === null ? [] : [{ name: 'hearth-lead', mode: 'exclusive' }],
  });

  #next(): void {
    if (this.#held !== null) return;
    const next = this.#queue.shift();
    if (next === undefined) return;
    const held = { reject: next.reject };
    this.#held = held;
    void next.run({ name: 'lock', mode: 'exclusive' }).then((value) => {
      next.resolve(value);
      if (this.#held !== held) return;
      this.#held = null;
      this.#next();
    });
  }
}

/** One channel's ends: what one posts, all others hear. */
class Air {
  readonly #ends: Channel[] = [];

  end(): Channel {
    const end: Channel = {
      onmessage: null,
      postMessage: (data: unknown) => {
        const event = new MessageEvent('message', { data });
        for (const one of this.#ends) {
          // Nothing that is heard asks who hears it.
          if (one !== end) one.onmessage?.call(one as BroadcastChannel, event);
        }
      },
    };
    this.#ends.push(end);
    return end;
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the first tab leads, the second follows, takes over, and gives back', async () => {
  const locks = new Locks();
  const air = new Air();
  const lines: string[] = [];
  const tab = (name: string) => {
    // The parts of LockManager that are used.
    const made = webLocksLeadership(locks as unknown as LockManager, air.end());
    made.start(
      () => void lines.push(`${name} leads`),
      () => void lines.push(`${name} follows`),
      (what) => void lines.push(`${name} is told of ${what}`),
    );
    return made;
  };
  const first = tab('first');
  await turn();
  const second = tab('second');
  await turn();
  expect(lines).toEqual(['first follows', 'first leads', 'second follows']);
  second.tell('soup');
  first.tell('nothing: it leads');
  expect(lines.splice(3)).toEqual(['first is told of soup']);
  second.takeOver();
  await turn();
  expect(lines.slice(3).sort()).toEqual(['first follows', 'second leads']);
  second.stop();
  await turn();
  expect(lines.at(-1)).toBe('first leads');
  first.stop();
});

test('the tab that somebody looks at leads; one that leads already goes on', async () => {
  const locks = new Locks();
  const air = new Air();
  const lines: string[] = [];
  const tab = (name: string) => {
    const made = webLocksLeadership(locks as unknown as LockManager, air.end());
    made.start(
      () => void lines.push(`${name} leads`),
      () => void lines.push(`${name} follows`),
      () => undefined,
    );
    return made;
  };
  const first = tab('first');
  first.looked();
  await turn();
  expect(lines).toEqual(['first follows', 'first leads']);
  const second = tab('second');
  second.looked();
  await turn();
  expect(lines.splice(2).sort()).toEqual(['first follows', 'second follows', 'second leads']);
  second.looked();
  await turn();
  expect(lines.splice(2)).toEqual([]);
  first.looked();
  await turn();
  expect(lines.splice(2).sort()).toEqual(['first leads', 'second follows']);
  first.stop();
  await turn();
  expect(lines.splice(2)).toEqual(['second leads']);
  first.looked();
  await turn();
  expect(lines.splice(2)).toEqual([]);
  second.stop();
});

test('without Web Locks every tab leads', () => {
  const lines: string[] = [];
  webLocksLeadership(undefined, new Air().end()).start(
    () => void lines.push('leads'),
    () => void lines.push('follows'),
    () => void lines.push('is told'),
  );
  expect(lines).toEqual(['leads']);
});
