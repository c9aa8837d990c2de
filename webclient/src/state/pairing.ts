// Pairing through the box's relay: the new browser asks, a signed-in one answers (sealing.md §2).
import { isCode } from '../api/error';
import { fromB64u } from '../protocol/bytes';
import { SealingError } from '../sealing/kdf';
import type { PairingOffer } from '../sealing/requests';
import type { Handing, NewBrowser, PairingFailure } from './account_model';
import type { Parts } from './deps';
import { problemOf } from './problem';

/** How long the box keeps a channel, ms (limits.md, `pair_s`). */
const CHANNEL_MS = 120_000;
/** How often the relay is asked, ms. */
const LOOK_MS = 1_000;

/** The numbers of a channel's messages, after the new browser's key. */
const ANSWER = 2;
const GIVEN = 3;

type Needs = Pick<Parts, 'api' | 'sealing' | 'clock'>;

/** Why it came to nothing, as the screens say it. */
function failureOf(error: unknown): PairingFailure {
  if (error instanceof SealingError) return 'damaged';
  if (isCode(error, 'not_found')) return 'timed_out';
  return problemOf(error).code === 'offline' ? 'offline' : 'refused';
}

/** Looks into a channel again and again; stops by itself when the channel is over. */
class Looking {
  #cancel: (() => void) | null = null;
  #stopped = false;

  constructor(needs: Needs, look: () => Promise<boolean>, failed: (error: unknown) => void) {
    const again = (): void => {
      this.#cancel = needs.clock.after(LOOK_MS, () => {
        look()
          .then((done) => {
            if (!done && !this.#stopped) again();
          })
          .catch((error: unknown) => {
            if (!this.#stopped) failed(error);
          });
      });
    };
    again();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }
}

export interface NewBrowserEvents {
  readonly link: (channel: Uint8Array, key: Uint8Array) => string;
  readonly changed: (step: NewBrowser) => void;
  /** The other browser handed over root, now in the worker, and this refresh secret. */
  readonly given: (refresh: string) => Promise<void>;
}

/** The new browser's side. */
export class NewBrowserPairing {
  readonly #needs: Needs;
  readonly #events: NewBrowserEvents;
  #looking: Looking | null = null;
  #endsAt = 0;
  /** Messages of the channel that were read. */
  #read = 1;

  constructor(needs: Needs, events: NewBrowserEvents) {
    this.#needs = needs;
    this.#events = events;
  }

  async start(): Promise<void> {
    const { api, sealing, clock } = this.#needs;
    const { changed, link } = this.#events;
    changed({ step: 'begins' });
    try {
      const { channel, key, typed } = await sealing.pairBegin();
      await api.account.pairPut(channel, key);
      this.#endsAt = clock.now() + CHANNEL_MS;
      changed({ step: 'shown', link: link(channel, key), typed, endsAt: this.#endsAt });
      const look = (): Promise<boolean> => this.#look(channel);
      this.#looking = new Looking(this.#needs, look, (error) => this.#fail(failureOf(error)));
    } catch (error) {
      this.#fail(failureOf(error));
    }
  }

  stop(): void {
    this.#looking?.stop();
  }

  #fail(code: PairingFailure): void {
    this.stop();
    this.#events.changed({ step: 'failed', code });
  }

  async #look(channel: Uint8Array): Promise<boolean> {
    const { api, sealing } = this.#needs;
    for (const message of await api.account.pairAfter(channel, this.#read)) {
      this.#read += 1;
      if (this.#read === 2) {
        const digits = await sealing.pairMeet(message);
        this.#events.changed({ step: 'digits', digits, endsAt: this.#endsAt });
        continue;
      }
      // An empty handing over: the person there said that the digits differ.
      if (message.length === 1) {
        this.#fail('refused');
        return true;
      }
      await this.#events.given(await sealing.pairTake(message));
      return true;
    }
    return false;
  }
}

/** A link's or a code's text, taken apart. */
interface Asked {
  readonly channel: Uint8Array;
  /** The whole key by a link; null: to be read from the channel, and to fit `print`. */
  readonly key: Uint8Array | null;
  readonly print: Uint8Array | null;
}

/** What the new browser's screen is told when the digits differ: no pairing has one byte. */
const NO = Uint8Array.of(0);

/** The signed-in browser's side. */
export class Letting {
  readonly #needs: Needs;
  readonly #changed: (handing: Handing | null) => void;
  #channel: Uint8Array | null = null;

  constructor(needs: Needs, changed: (handing: Handing | null) => void) {
    this.#needs = needs;
    this.#changed = changed;
  }

  async #read(code: string): Promise<Asked | null> {
    const fragment = /(?:^|#)([A-Za-z0-9_-]{64})$/.exec(code.trim())?.[1];
    if (fragment !== undefined) {
      const bytes = fromB64u(fragment);
      return { channel: bytes.slice(0, 16), key: bytes.slice(16), print: null };
    }
    const typed = await this.#needs.sealing.pairTyped(code);
    return typed === null ? null : { key: null, ...typed };
  }

  /** Answers an offer: shows the digits, gives nothing yet. */
  async answer(code: string): Promise<void> {
    const { api, sealing } = this.#needs;
    this.#channel = null;
    this.#changed({ step: 'looking' });
    const asked = await this.#read(code);
    if (asked === null) return this.#changed({ step: 'failed', code: 'mistyped' });
    const { channel, print } = asked;
    try {
      const [first, second] = await api.account.pairAfter(channel, 0);
      if (first === undefined || second !== undefined) {
        return this.#changed({ step: 'failed', code: 'gone' });
      }
      const offer: PairingOffer = { channel, key: asked.key ?? first };
      const { key, digits } = await sealing.pairAnswer(offer, print);
      // Another number: the channel was over, or somebody else answered too.
      if ((await api.account.pairPut(channel, key)) !== ANSWER) {
        return this.#changed({ step: 'failed', code: 'gone' });
      }
      this.#channel = channel;
      this.#changed({ step: 'digits', digits });
    } catch (error) {
      this.#fail(error, 'other_key');
    }
  }

  #fail(error: unknown, sealing: 'other_key' | 'damaged'): void {
    const code = failureOf(error);
    this.#changed({ step: 'failed', code: code === 'damaged' ? sealing : code });
  }

  /** The person compared the digits. Only a yes sends root. */
  async confirm(same: boolean, label: string): Promise<void> {
    const { api, sealing } = this.#needs;
    const channel = this.#channel;
    if (channel === null) return;
    this.#channel = null;
    try {
      if (!same) {
        await sealing.pairEnd();
        await api.account.pairPut(channel, NO);
        return this.#changed({ step: 'failed', code: 'refused' });
      }
      this.#changed({ step: 'giving' });
      const { refresh, sessionId } = await api.account.newLogin(label);
      const number = await api.account.pairPut(channel, await sealing.pairGive(refresh));
      if (number === GIVEN) return this.#changed({ step: 'done' });
      // Nobody reads it there any more.
      await api.account.endLogin(sessionId);
      this.#changed({ step: 'failed', code: 'timed_out' });
    } catch (error) {
      this.#fail(error, 'damaged');
    }
  }

  end(): void {
    this.#channel = null;
    this.#changed(null);
  }
}
