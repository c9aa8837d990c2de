// A browser for tests: its own storage and keys, opened and reloaded like a tab.
import { memorySafe, type Safe } from '../local/safe';
import { OpenedStore } from '../local/opened_store';
import { SearchIndex } from '../local/search_index';
import { memoryShelf, type Shelf } from '../local/shelf';
import { openAttachment, sealAttachment } from '../sealing/attachment';
import { Keyring } from '../sealing/keyring';
import type { Sealing } from '../sealing/requests';
import { METHODS } from '../sealing/rpc';
import type { Leadership } from '../session/leader';
import type { Transport } from '../session/transport';
import { createApp } from '../state/app';
import type { Attention } from '../state/deps';
import type { App, Entry } from '../state/model';
import { parseEntry } from '../state/entry';
import type { FakeClock } from './clock';
import type { FakeHouse } from './house';

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

/** The tabs of one browser: the one that asked last leads. */
class Tabs {
  #follow: (() => void) | null = null;
  #told: ((what: string) => void) | null = null;

  tab(): Leadership {
    let [lead, follow] = [(): void => undefined, (): void => undefined];
    let told = (_what: string): void => undefined;
    const takeOver = (): void => {
      this.#follow?.();
      this.#follow = follow;
      this.#told = told;
      lead();
    };
    return {
      start: (onLead, onFollow, onTold) => {
        [lead, follow, told] = [onLead, onFollow, onTold];
        takeOver();
      },
      takeOver,
      looked: () => this.#told === told || takeOver(),
      tell: (what) => this.#told !== told && this.#told?.(what),
      stop: () => undefined,
    };
  }
}

/** As the worker answers: one request at a time. */
function inTurn(keys: Sealing): Sealing {
  let turn: Promise<unknown> = Promise.resolve();
  const ask =
    (method: keyof Sealing) =>
    (...args: unknown[]): Promise<unknown> => {
      const run = keys[method] as (...args: unknown[]) => Promise<unknown>;
      const answered = turn.then(() => run.apply(keys, args));
      turn = answered.catch(() => undefined);
      return answered;
    };
  const names = METHODS as (keyof Sealing)[];
  return Object.fromEntries(names.map((method) => [method, ask(method)])) as unknown as Sealing;
}

/** As in the worker: wiped together with what lies beside it. */
function safeOf(shelf: Shelf): Safe {
  const safe = memorySafe();
  const wipe = async (): Promise<void> => {
    await safe.wipe();
    await shelf.clear();
  };
  return { ...safe, wipe };
}

export class Browser {
  readonly #house: FakeHouse;
  readonly #clock: FakeClock;
  readonly shelf: Shelf = memoryShelf();
  readonly safe: Safe = memorySafe();
  /** What the worker keeps of what it opened. */
  readonly keyShelf: Shelf = memoryShelf();
  readonly #keySafe: Safe = safeOf(this.keyShelf);
  readonly #tabs = new Tabs();
  #page = { dead: false };
  #watchers: (() => void)[] = [];
  #seen = true;
  readonly attention: Attention = {
    seen: () => this.#seen,
    onChange: (run) => void this.#watchers.push(run),
    drawn: async () => undefined,
  };

  constructor(house: FakeHouse, clock: FakeClock) {
    this.#house = house;
    this.#clock = clock;
  }

  /** Somebody looks at the page, or no longer. */
  look(seen: boolean): void {
    this.#seen = seen;
    for (const run of this.#watchers) run();
  }

  /** The open page is gone without a word, as after a crash. */
  crash(): void {
    this.#page.dead = true;
  }

  /** This page's MQTT: silent once the page is gone. */
  #transport(): Transport {
    const page = { dead: false };
    this.#page = page;
    const inner = this.#house.transport();
    return {
      open: async (login, subscriptions, events) => {
        const link = await inner.open(login, subscriptions, {
          message: (topic, payload) => page.dead || events.message(topic, payload),
          lost: (why) => page.dead || events.lost(why),
        });
        const publish = (topic: string, payload: Uint8Array): Promise<void> =>
          page.dead ? new Promise(() => undefined) : link.publish(topic, payload);
        const tell = (topic: string, payload: Uint8Array): void => {
          if (!page.dead) link.tell(topic, payload);
        };
        return { publish, tell, close: () => link.close() };
      },
    };
  }

  /** A page of this browser at an address. */
  async open(path = '/', fragment = ''): Promise<App> {
    const entry: Entry = parseEntry(path, fragment);
    const app = createApp({
      entry,
      origin: 'https://hearth.local',
      hostname: 'hearth.local',
      cost: { memoryKib: 19_456, passes: 2, lanes: 1 },
      label: 'test',
      fetch: this.#house.fetch,
      transport: this.#transport(),
      sealing: inTurn(new Keyring(this.#keySafe, random, new OpenedStore(this.keyShelf))),
      fileWork: {
        seal: (file) => sealAttachment(file, random(32)),
        open: openAttachment,
        picture: async () => null,
      },
      shelf: this.shelf,
      safe: this.safe,
      clock: this.#clock,
      chance: () => 0.5,
      random,
      leadership: this.#tabs.tab(),
      network: { online: () => true, onChange: () => undefined },
      attention: this.attention,
      search: new SearchIndex(),
    });
    await app.start();
    return app;
  }
}
