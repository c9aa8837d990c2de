// The worker that holds all keys: requests in, answers out, one at a time.
import { ensureSubtle } from './subtle';
import { answerCall, type Call } from '../local/calls';
import { memorySafe, openSafe } from '../local/safe';
import { openShelf } from '../local/shelf';
import { Keyring } from './keyring';

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));
const safe = globalThis.isSecureContext ? openSafe(openShelf('hearth-keys')) : memorySafe();
ensureSubtle();

const keyring = new Keyring(safe, random);
let turn: Promise<void> = Promise.resolve();

addEventListener('message', (event: MessageEvent<Call>) => {
  turn = turn.then(async () => postMessage(await answerCall(keyring, event.data)));
});
