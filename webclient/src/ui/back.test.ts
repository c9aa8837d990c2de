// Back is the browser's, which takes a moment: what is done meanwhile is not lost, and not undone.
import { beforeEach, expect, test, vi } from 'vitest';

interface Entry {
  readonly state: unknown;
  readonly hash: string;
}

/** A browser's history that goes back a moment later, as real ones do. */
class FakeHistory {
  entries: Entry[] = [{ state: null, hash: '' }];
  at = 0;
  /** Runs when the browser has arrived. */
  arrived = (): void => undefined;
  #going = 0;

  get state(): unknown {
    return this.entries[this.at]?.state ?? null;
  }

  get hash(): string {
    return this.entries[this.at]?.hash ?? '';
  }

  #entry(state: unknown, url: string | undefined): Entry {
    const hash = url === undefined ? this.hash : url.startsWith('#') ? url : '';
    return { state, hash };
  }

  pushState = (state: unknown, _title: string, url?: string): void => {
    this.entries = [...this.entries.slice(0, this.at + 1), this.#entry(state, url)];
    this.at += 1;
  };

  replaceState = (state: unknown, _title: string, url?: string): void => {
    this.entries[this.at] = this.#entry(state, url);
  };

  go = (by: number): void => void (this.#going += by);
  back = (): void => this.go(-1);

  /** The browser goes where it was told to. */
  goes(): void {
    this.at += this.#going;
    this.#going = 0;
    if (this.at < 0) throw new Error('out of the house');
    this.arrived();
  }
}

let history: FakeHistory;

beforeEach(() => {
  history = new FakeHistory();
  vi.stubGlobal('history', history);
  const location = {
    pathname: '/',
    get hash(): string {
      return history.hash;
    },
  };
  vi.stubGlobal('location', location);
});

async function views(): Promise<InstanceType<(typeof import('./view.svelte'))['View']>> {
  const { View } = await import('./view.svelte');
  const view = new View();
  history.arrived = () => view.arrived(history.state);
  return view;
}

async function addresses(): Promise<
  InstanceType<(typeof import('./account/settings_address.svelte'))['SettingsAddress']>
> {
  const { SettingsAddress } = await import('./account/settings_address.svelte');
  const settings = new SettingsAddress();
  history.arrived = () => settings.arrived();
  return settings;
}

test('back that is tapped twice is one step, not out of the house', async () => {
  const view = await views();
  view.go({ room: 'kitchen', panel: null }, true);
  const nowhere = { room: null, panel: null };
  view.back(nowhere);
  view.back(nowhere);
  history.goes();
  expect([history.at, view.place]).toEqual([0, nowhere]);
});

test('where one goes before the browser is back, one is', async () => {
  const view = await views();
  view.go({ room: 'kitchen', panel: null }, true);
  view.go({ room: 'kitchen', panel: 'search' }, true);
  view.back({ room: 'kitchen', panel: null });
  view.go({ room: 'kitchen', panel: 'people' }, true);
  history.goes();
  expect(view.place).toEqual({ room: 'kitchen', panel: 'people' });
  view.back({ room: 'kitchen', panel: null });
  history.goes();
  expect([history.at, view.place]).toEqual([1, { room: 'kitchen', panel: null }]);
});

test('the settings are closed once the address is plain again, by one key or two', async () => {
  const settings = await addresses();
  settings.go('all', true);
  settings.go('look', true);
  settings.close();
  settings.close();
  expect(settings.place).toBe('look');
  history.goes();
  expect([history.at, history.hash, settings.place]).toEqual([0, '', null]);
});

test('settings that are opened again while they close are open', async () => {
  const settings = await addresses();
  settings.go('all', true);
  settings.close();
  settings.go('all', true);
  history.goes();
  expect([settings.place, history.hash]).toEqual(['all', '#/settings']);
  settings.close();
  history.goes();
  expect([history.at, settings.place]).toEqual([0, null]);
});
