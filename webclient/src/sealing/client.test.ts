// The worker's two ends: every answer to its question, errors by name, a worker that stops.
import { expect, test } from 'vitest';
import { answerCall, type Call } from '../local/calls';
import { memorySafe } from '../local/safe';
import { newId, parseId } from '../protocol/ids';
import { sealingOf } from './client';
import { Keyring } from './keyring';

const random = (length: number): Uint8Array => crypto.getRandomValues(new Uint8Array(length));

/** A worker in this thread: messages are copied as between threads. */
class FakeWorker extends EventTarget {
  readonly #keyring = new Keyring(memorySafe(), random);

  postMessage(call: Call): void {
    void answerCall(this.#keyring, structuredClone(call)).then((said) => {
      this.dispatchEvent(new MessageEvent('message', { data: structuredClone(said) }));
    });
  }
}

// The parts of Worker that are used.
const start = (worker = new FakeWorker()) => sealingOf(worker as unknown as Worker);

test('answers find their questions, and everything survives the copy', async () => {
  const sealing = start();
  const cost = { memoryKib: 19_456, passes: 2, lanes: 1 };
  const authKey = await sealing.stretch('password', new Uint8Array(16), cost);
  expect(authKey).toHaveLength(32);
  const user = newId(1, random(10));
  const [made, changed] = await Promise.all([
    sealing.createIdentity(user, 1),
    sealing.vaultChanged().catch(() => null),
  ]);
  expect(made.recoverySheet).toMatch(/^AGE-SECRET-KEY-1/);
  expect(changed).toBe(false);
  expect(await sealing.pins()).toEqual(new Map());
});

test('a refusal comes back as the error it was', async () => {
  await expect(start().writeVault(1)).rejects.toMatchObject({
    name: 'SealingError',
    message: 'nobody is signed in',
  });
  const short = start().isNews(parseId('01890000-0000-7000-8000-000000000001'), new Uint8Array(3));
  await expect(short).rejects.toMatchObject({ name: 'BytesError' });
});

test('a worker that stops fails what waits', async () => {
  class Dead extends FakeWorker {
    override postMessage(): void {
      queueMicrotask(() => this.dispatchEvent(new Event('error')));
    }
  }
  await expect(start(new Dead()).keep()).rejects.toThrow(/reload/);
});
