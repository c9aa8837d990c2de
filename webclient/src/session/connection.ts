// The connection: one union of states, tried again with back-off and jitter, one link at a time.
import { backOff, type Chance, type Clock } from './clock';
import {
  LinkLost,
  REASON,
  Refused,
  type Link,
  type LinkLogin,
  type Subscriptions,
  type Transport,
} from './transport';

export type ConnectionState =
  | { readonly kind: 'offline'; readonly retryAt: number | null }
  | { readonly kind: 'connecting' }
  | { readonly kind: 'online' }
  | { readonly kind: 'refused'; readonly code: string; readonly reason: string };

export interface ConnectionDeps {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly chance: Chance;
  /** The login for a link; `renew`: the last token was refused. Null: the login has ended. */
  readonly login: (renew: boolean) => Promise<LinkLogin | null>;
  readonly subscriptions: () => Promise<Subscriptions>;
  /** Whether the browser sees a network at all. */
  readonly hasNetwork: () => boolean;
  readonly changed: (state: ConnectionState) => void;
  readonly message: (topic: string, payload: Uint8Array) => void;
  /** The login has ended: nothing more is tried. */
  readonly ended: () => void;
}

export class Connection {
  readonly #deps: ConnectionDeps;
  #state: ConnectionState = { kind: 'offline', retryAt: null };
  #link: Link | null = null;
  #cancelRetry: (() => void) | null = null;
  #attempt = 0;
  #renew = false;
  /** Counts starts and stops, so that what an old try brings is dropped. */
  #generation = 0;

  constructor(deps: ConnectionDeps) {
    this.#deps = deps;
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Connects and stays connected until `stop`. */
  start(): void {
    this.stop();
    this.#attempt = 0;
    void this.#open(this.#generation);
  }

  stop(): void {
    this.#generation++;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#link?.close();
    this.#link = null;
    this.#set({ kind: 'offline', retryAt: null });
  }

  /** Another tab holds the connection. */
  yieldTo(code: string, reason: string): void {
    this.stop();
    this.#set({ kind: 'refused', code, reason });
  }

  /** The network came or went, or the person asks to try now. */
  networkChanged(): void {
    if (this.#state.kind !== 'offline' || this.#cancelRetry === null) return;
    if (!this.#deps.hasNetwork()) return;
    this.#cancelRetry();
    this.#cancelRetry = null;
    void this.#open(this.#generation);
  }

  /** Resolves when stored; rejects with Refused or LinkLost. */
  publish(topic: string, payload: Uint8Array): Promise<void> {
    const link = this.#link;
    if (link === null) return Promise.reject(new LinkLost('not connected'));
    return link.publish(topic, payload);
  }

  /** Sent if there is a link, else forgotten. */
  tell(topic: string, payload: Uint8Array): void {
    this.#link?.tell(topic, payload);
  }

  async #open(generation: number): Promise<void> {
    this.#set({ kind: 'connecting' });
    try {
      const login = await this.#deps.login(this.#renew);
      this.#renew = false;
      if (generation !== this.#generation) return;
      if (login === null) {
        this.stop();
        this.#deps.ended();
        return;
      }
      const link = await this.#deps.transport.open(login, this.#deps.subscriptions, {
        message: (topic, payload) => {
          if (generation === this.#generation) this.#deps.message(topic, payload);
        },
        lost: (why) => {
          if (generation === this.#generation) this.#lost(why);
        },
      });
      if (generation !== this.#generation) return link.close();
      this.#link = link;
      this.#attempt = 0;
      this.#set({ kind: 'online' });
    } catch (error) {
      if (generation === this.#generation) this.#lost(error);
    }
  }

  #lost(why: unknown): void {
    this.#link = null;
    if (why instanceof Refused) {
      if (why.reason === REASON.takenOver) {
        return this.yieldTo('other_tab', 'another tab holds the connection');
      }
      this.#renew = why.reason === REASON.badLogin || why.reason === REASON.notAuthorized;
    }
    const wait = backOff(this.#attempt++, this.#deps.chance);
    const generation = this.#generation;
    this.#cancelRetry = this.#deps.clock.after(wait, () => {
      this.#cancelRetry = null;
      if (generation === this.#generation) void this.#open(generation);
    });
    const retryAt = this.#deps.hasNetwork() ? this.#deps.clock.now() + wait : null;
    this.#set({ kind: 'offline', retryAt });
  }

  #set(state: ConnectionState): void {
    this.#state = state;
    this.#deps.changed(state);
  }
}
