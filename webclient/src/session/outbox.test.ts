// The outbox and the echo: what the box has is sent, whatever became of its acknowledgement.
import { beforeEach, describe, expect, test } from 'vitest';
import { OutboxStore, type Entry } from '../local/outbox';
import { memorySafe } from '../local/safe';
import { memoryShelf, type Shelf } from '../local/shelf';
import { parseId, type Id } from '../protocol/ids';
import { FakeClock } from '../testing/clock';
import { Outbox } from './outbox';
import { LinkLost, Refused } from './transport';

const id = (n: number): Id => parseId(`01929b2a-7c01-7abc-8def-${String(n).padStart(12, '0')}`);
const ROOM = id(1);

const entry = (n: number): Entry => ({
  id: id(n),
  room: ROOM,
  at: n,
  body: new Uint8Array([n]),
  sealed: true,
  target: null,
  uploads: [],
  tried: false,
  failed: null,
});

/** Somewhere a run stops until a test lets it go on. */
class Gate {
  #open: () => void = () => undefined;
  #arrived: () => void = () => undefined;
  readonly reached = new Promise<void>((resolve) => (this.#arrived = resolve));
  readonly #way = new Promise<void>((resolve) => (this.#open = resolve));

  async pass(): Promise<void> {
    this.#arrived();
    await this.#way;
  }

  open(): void {
    this.#open();
  }
}

const turns = async (): Promise<void> => {
  for (let n = 0; n < 5; n += 1) await new Promise((next) => setImmediate(next));
};

let shelf: Shelf;
let store: OutboxStore;
let online: boolean;
let sent: { readonly seq: number }[];
let sealing: (() => Promise<void>) | null;
let publishing: (() => Promise<void>) | null;

beforeEach(() => {
  shelf = memoryShelf();
  store = new OutboxStore(shelf, memorySafe());
  [online, sent, sealing, publishing] = [false, [], null, null];
});

/** A page's outbox over what the browser keeps. */
const page = (): Outbox =>
  new Outbox({
    store,
    clock: new FakeClock(),
    isOnline: () => online,
    payload: async (_entry, seq) => {
      await sealing?.();
      return new Uint8Array([seq]);
    },
    isNumbered: () => true,
    publish: async (_room, payload) => {
      sent.push({ seq: payload[0] ?? 0 });
      await publishing?.();
    },
    refreshKeys: async () => undefined,
    rotate: async () => undefined,
    written: () => undefined,
    changed: () => undefined,
  });

/** The page before this one sent its first message: stored as number 1, never acknowledged. */
async function afterReload(...more: Entry[]): Promise<Outbox> {
  for (const one of [{ ...entry(11), tried: true }, ...more]) await store.put(one);
  const outbox = page();
  await outbox.load();
  online = true;
  return outbox;
}

const kept = async (): Promise<Id[]> => (await store.all()).map((one) => one.id);
const here = (outbox: Outbox): string[] => outbox.items(ROOM).map(({ delivery }) => delivery.kind);

describe('a message whose acknowledgement was lost', () => {
  test('is not kept again when its echo comes while it is sealed', async () => {
    const gate = new Gate();
    sealing = () => gate.pass();
    const outbox = await afterReload();
    outbox.wakeAll();
    await gate.reached;
    const echoed = outbox.echo(ROOM, id(11), 1);
    gate.open();
    await echoed;
    await turns();
    expect(await kept()).toEqual([]);
    expect(here(outbox)).toEqual([]);
    expect(sent).toEqual([]);
    expect(await store.seq(ROOM)).toBe(1);
  });

  test('is not kept again when its echo comes while it is being kept', async () => {
    const gate = new Gate();
    const put = store.put.bind(store);
    const outbox = await afterReload();
    store.put = async (value, files) => {
      await gate.pass();
      return put(value, files);
    };
    outbox.wakeAll();
    await gate.reached;
    const echoed = outbox.echo(ROOM, id(11), 1);
    gate.open();
    await echoed;
    await turns();
    expect(await kept()).toEqual([]);
    expect(here(outbox)).toEqual([]);
  });

  test('has not failed when its echo comes beside a refusal', async () => {
    const gate = new Gate();
    const outbox = await afterReload();
    const put = store.put.bind(store);
    publishing = async () => {
      store.put = async (value, files) => {
        await gate.pass();
        return put(value, files);
      };
      throw new Refused(0x99, 'bad_event: not this one');
    };
    outbox.wakeAll();
    await gate.reached;
    const echoed = outbox.echo(ROOM, id(11), 1);
    gate.open();
    await echoed;
    await turns();
    expect(await kept()).toEqual([]);
    expect(here(outbox)).toEqual([]);
  });

  test('leaves its number to it: the next has the one after', async () => {
    const gate = new Gate();
    sealing = () => gate.pass();
    const outbox = await afterReload(entry(12));
    outbox.wakeAll();
    await gate.reached;
    const echoed = outbox.echo(ROOM, id(11), 1);
    gate.open();
    await echoed;
    await turns();
    expect(sent).toEqual([{ seq: 2 }]);
    expect(await kept()).toEqual([]);
    expect(await store.seq(ROOM)).toBe(2);
    // Nothing is left for the page after this one either.
    const next = page();
    await next.load();
    expect(next.items(ROOM)).toEqual([]);
  });

  test('is not taken up anew by a tab that compares while its echo comes', async () => {
    const gate = new Gate();
    const outbox = await afterReload();
    const all = store.all.bind(store);
    store.all = async () => {
      const found = await all();
      await gate.pass();
      return found;
    };
    const compared = outbox.load();
    await gate.reached;
    const echoed = outbox.echo(ROOM, id(11), 1);
    gate.open();
    await Promise.all([compared, echoed]);
    await turns();
    expect(here(outbox)).toEqual([]);
    expect(await kept()).toEqual([]);
  });

  test('is sent again under its number when no echo comes', async () => {
    const outbox = await afterReload(entry(12));
    outbox.wakeAll();
    await turns();
    expect(sent).toEqual([{ seq: 1 }, { seq: 2 }]);
    expect(here(outbox)).toEqual(['stored', 'stored']);
    expect(await kept()).toEqual([]);
  });

  test('waits where the link breaks again', async () => {
    publishing = async () => {
      online = false;
      throw new LinkLost('cut');
    };
    const outbox = await afterReload();
    outbox.wakeAll();
    await turns();
    expect(here(outbox)).toEqual(['queued']);
    expect(await kept()).toEqual([id(11)]);
    expect(await store.seq(ROOM)).toBe(0);
  });
});

test('an echo that comes late does not set the numbers back', async () => {
  const outbox = await afterReload(entry(12));
  publishing = async () => {
    if (sent.length === 1) throw new Refused(0x99, 'bad_event: not this one');
  };
  outbox.wakeAll();
  await turns();
  expect(here(outbox)).toEqual(['failed', 'stored']);
  const number = await store.seq(ROOM);
  await outbox.echo(ROOM, id(11), number - 1);
  expect(await store.seq(ROOM)).toBe(number);
});
