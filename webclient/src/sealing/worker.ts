// The worker that holds all keys: requests in, answers out, one at a time.
import { ensureSubtle } from './subtle';
import { answerCall, type Call } from '../local/calls';
import { memorySafe, openSafe, type Safe } from '../local/safe';
import { OpenedStore } from '../local/opened_store';
import { openShelf } from '../local/shelf';
import { Keyring } from './keyring';

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

const shelf = openShelf('hearth-keys');

/** The key goes first; what it sealed is of no use then, and goes too with the rest. */
function ownSafe(): Safe {
  const safe = openSafe(shelf);
  const wipe = async (): Promise<void> => {
    await safe.wipe();
    await shelf.clear();
  };
  return { ...safe, wipe };
}

const safe = globalThis.isSecureContext ? ownSafe() : memorySafe();
ensureSubtle();

const keyring = new Keyring(safe, random, new OpenedStore(shelf));
let turn: Promise<void> = Promise.resolve();

addEventListener('message', (event: MessageEvent<Call>) => {
  turn = turn.then(async () => postMessage(await answerCall(keyring, event.data)));
});
