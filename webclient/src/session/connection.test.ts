// The connection's union: back-off with jitter, renewed tokens, other tabs, late answers.
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock, until, Watch } from '../testing/clock';
import { parseId } from '../protocol/ids';
import { backOff } from './clock';
import { Connection, type ConnectionState } from './connection';
import { LinkLost, REASON, Refused, type LinkEvents, type LinkLogin } from './transport';

const me = parseId('01929b2a-7c01-7abc-8def-0123456789a1');

class Box {
  readonly clock = new FakeClock();
  readonly states = new Watch<ConnectionState>({ kind: 'connecting' });
  readonly logins: boolean[] = [];
  readonly heard: string[] = [];
  events: LinkEvents | null = null;
  refusal: Error | null = null;
  token: string | null = 'token';
  network = true;
  ended = 0;
  closed = 0;

  readonly connection = new Connection({
    clock: this.clock,
    chance: () => 0,
    transport: {
      open: async (_login: LinkLogin, _after, events) => {
        if (this.refusal !== null) throw this.refusal;
        this.events = events;
        return {
          publish: async () => undefined,
          tell: () => undefined,
          close: () => void this.closed++,
        };
      },
    },
    login: async (renew) => {
      this.logins.push(renew);
      return this.token === null ? null : { clientId: 'c', username: 'u', password: this.token };
    },
    subscriptions: async () => ({ me, after: [] }),
    hasNetwork: () => this.network,
    changed: (state) => this.states.set(state),
    message: (topic) => void this.heard.push(topic),
    ended: () => void this.ended++,
  });

  is(kind: ConnectionState['kind']): Promise<ConnectionState> {
    return until(this.states, (state) => state.kind === kind);
  }
}

let box: Box;
beforeEach(() => {
  box = new Box();
});

test('waits double up to a minute, and half of each is chance', () => {
  expect([0, 1, 2, 20].map((attempt) => backOff(attempt, () => 0))).toEqual([
    250, 500, 1_000, 30_000,
  ]);
  expect([0, 20].map((attempt) => backOff(attempt, () => 0.999_999))).toEqual([500, 60_000]);
});

describe('a box that goes away and comes back', () => {
  test('is tried again with growing waits, then from the start', async () => {
    box.refusal = new LinkLost('nobody there');
    box.connection.start();
    const first = await box.is('offline');
    expect(first).toEqual({ kind: 'offline', retryAt: box.clock.now() + 250 });
    box.clock.elapse(250);
    await box.is('connecting');
    const second = await box.is('offline');
    expect(second).toEqual({ kind: 'offline', retryAt: box.clock.now() + 500 });
    box.refusal = null;
    box.clock.elapse(500);
    await box.is('online');
    box.events?.lost(new LinkLost('gone'));
    expect(await box.is('offline')).toEqual({ kind: 'offline', retryAt: box.clock.now() + 250 });
  });

  test('without a network says no time, and is tried at once when the network comes', async () => {
    box.refusal = new LinkLost('no network');
    box.network = false;
    box.connection.start();
    expect(await box.is('offline')).toEqual({ kind: 'offline', retryAt: null });
    box.connection.networkChanged();
    expect(box.states.state.kind).toBe('offline');
    [box.network, box.refusal] = [true, null];
    box.connection.networkChanged();
    await box.is('online');
    expect(box.clock.waiting).toBe(0);
  });
});

describe('a box that says no', () => {
  test('to the token is asked with a new one', async () => {
    box.refusal = new Refused(REASON.notAuthorized, 'bad_token: sign in again');
    box.connection.start();
    await box.is('offline');
    box.refusal = null;
    box.clock.elapse(250);
    await box.is('online');
    expect(box.logins).toEqual([false, true]);
  });

  test('for good ends the login and is not asked again', async () => {
    box.token = null;
    box.connection.start();
    await until(box.states, (state) => state.kind === 'offline' && state.retryAt === null);
    expect([box.ended, box.clock.waiting]).toEqual([1, 0]);
  });

  test('because another tab has it is not fought over', async () => {
    box.connection.start();
    await box.is('online');
    box.events?.lost(new Refused(REASON.takenOver, ''));
    expect(await box.is('refused')).toMatchObject({ code: 'other_tab' });
    expect(box.clock.waiting).toBe(0);
  });
});

test('what an old link brings after a stop is dropped', async () => {
  box.connection.start();
  await box.is('online');
  const old = box.events;
  box.connection.stop();
  old?.message('hearth/status', new Uint8Array());
  old?.lost(new LinkLost('late'));
  expect([box.heard, box.closed, box.clock.waiting]).toEqual([[], 1, 0]);
  await expect(box.connection.publish('t', new Uint8Array())).rejects.toBeInstanceOf(LinkLost);
});

test('a reason string gives its code, and a foreign one stays a sentence', () => {
  expect(new Refused(0x99, 'stale_epoch: fetch the bundles')).toMatchObject({
    code: 'stale_epoch',
    message: 'fetch the bundles',
  });
  expect(new Refused(0x97, 'Quota exceeded')).toMatchObject({
    code: 'mqtt_97',
    message: 'Quota exceeded',
  });
  expect(new Refused(0x87, '')).toMatchObject({ code: 'mqtt_87', message: 'refused with 0x87' });
});
