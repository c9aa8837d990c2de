// One tab of a browser leads, the one that was looked at last: it holds the connection and the writer
// number (Web Locks); the others tell it what they wrote (BroadcastChannel).

export interface Leadership {
  /**
   * Waits in line; `lead` runs when this tab leads, `follow` when it does not (any more), `told`
   * when a tab that follows has told this one, which leads, of something.
   */
  start(lead: () => void, follow: () => void, told: (what: string) => void): void;
  /** Tells the tab that leads; nothing where this one does. */
  tell(what: string): void;
  /** Takes the lead from the other tab. */
  takeOver(): void;
  /** Somebody looks at this tab: it takes the lead where another one has it. */
  looked(): void;
  stop(): void;
}

const NAME = 'hearth-lead';

/** What is used of a BroadcastChannel, which all tabs of the browser share. */
export type Channel = Pick<BroadcastChannel, 'postMessage' | 'onmessage'>;

export const openChannel = (): Channel => new BroadcastChannel(NAME);

/** Without Web Locks every tab leads; the box then takes the connection from the older one. */
export function webLocksLeadership(locks: LockManager | undefined, channel: Channel): Leadership {
  let lead = (): void => undefined;
  let follow = (): void => undefined;
  let release: (() => void) | null = null;
  let stopped = false;

  const hold = (): Promise<void> =>
    new Promise((resolve) => {
      // A place in line that is not needed any more.
      if (stopped || release !== null) return resolve();
      release = resolve;
      lead();
    });
  const request = (options: LockOptions): void => {
    if (locks === undefined) return lead();
    locks
      .request(NAME, options, (lock) => (lock === null ? Promise.resolve() : hold()))
      .catch(() => {
        // Stolen by another tab: back into the line, as a follower.
        release = null;
        if (stopped) return;
        follow();
        request({ mode: 'exclusive' });
      });
  };
  const takeOver = (): void => {
    if (!stopped && release === null) request({ mode: 'exclusive', steal: true });
  };
  return {
    start: (onLead, onFollow, told) => {
      [lead, follow, stopped] = [onLead, onFollow, false];
      channel.onmessage = ({ data }: MessageEvent<unknown>) => {
        if (release !== null && typeof data === 'string') told(data);
      };
      if (locks !== undefined) follow();
      request({ mode: 'exclusive' });
    },
    takeOver,
    looked: () => {
      // A tab that has just begun may be about to lead: only what another one holds is taken.
      locks?.query().then(
        ({ held }) => held?.some(({ name }) => name === NAME) === true && takeOver(),
        // A page on its way out: nobody looks at it.
        () => undefined,
      );
    },
    tell: (what) => {
      if (locks !== undefined && release === null) channel.postMessage(what);
    },
    stop: () => {
      stopped = true;
      channel.onmessage = null;
      release?.();
      release = null;
    },
  };
}
