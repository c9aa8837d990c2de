// One tab of a browser leads: it holds the connection and the writer number (Web Locks).

export interface Leadership {
  /** Waits in line; `lead` runs when this tab leads, `follow` when it does not (any more). */
  start(lead: () => void, follow: () => void): void;
  /** Takes the lead from the other tab. */
  takeOver(): void;
  stop(): void;
}

const NAME = 'hearth-lead';

/** Without Web Locks every tab leads; the box then takes the connection from the older one. */
export function webLocksLeadership(locks: LockManager | undefined): Leadership {
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
  return {
    start: (onLead, onFollow) => {
      [lead, follow, stopped] = [onLead, onFollow, false];
      if (locks !== undefined) follow();
      request({ mode: 'exclusive' });
    },
    takeOver: () => {
      if (release === null) request({ mode: 'exclusive', steal: true });
    },
    stop: () => {
      stopped = true;
      release?.();
      release = null;
    },
  };
}
