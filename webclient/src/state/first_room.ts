// What a new browser reads first: one room, before the connection and the other rooms take their turn.
import type { Clock } from '../session/clock';
import type { Attention } from './deps';

/** So long is it waited for at most, ms. */
const PATIENCE_MS = 1_500;

export class FirstRoom {
  /** It is read, or cannot be read now. Browsers that know rooms have nothing to wait for. */
  read: Promise<void> = Promise.resolve();
  /** It is read, or was waited for long enough: the screens may come. */
  ready: Promise<void> = Promise.resolve();
  /** The screens have come: there is time for the rest. */
  drawn: Promise<void> = Promise.resolve();

  /** `read` never rejects. */
  begin(read: () => Promise<void>, clock: Clock, attention: Attention): void {
    const reading = read();
    this.read = reading;
    this.ready = new Promise((resolve) => {
      const cancel = clock.after(PATIENCE_MS, resolve);
      void reading.then(() => {
        cancel();
        resolve();
      });
    });
    this.drawn = this.ready.then(() => attention.drawn());
  }
}
