// Requests to a worker and its answers: one number each, errors by name and message.

/** A request as posted to the worker. */
export interface Call {
  readonly n: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

/** What went wrong in the worker. */
export interface Failure {
  readonly name: string;
  readonly message: string;
}

/** Its answer. */
export type Answer =
  { readonly n: number; readonly value: unknown } | { readonly n: number; readonly error: Failure };

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/**
 * The page's end: every one of `methods` is a request, posted and its answer awaited. `T` is what the
 * worker's end is typed by too; `errorOf` makes an error of a failure.
 */
export function callsOf<T>(
  worker: Pick<Worker, 'addEventListener' | 'postMessage'>,
  methods: readonly string[],
  errorOf: (failure: Failure) => Error,
): T {
  const pending = new Map<number, Pending>();
  let last = 0;
  const answered = ({ data }: MessageEvent<Answer>): void => {
    const waiting = pending.get(data.n);
    pending.delete(data.n);
    if (waiting === undefined) return;
    if ('error' in data) waiting.reject(errorOf(data.error));
    else waiting.resolve(data.value);
  };
  worker.addEventListener('message', answered);
  worker.addEventListener('error', () => {
    const error = errorOf({ name: 'Error', message: 'a worker stopped: reload the page' });
    for (const waiting of pending.values()) waiting.reject(error);
    pending.clear();
  });
  const call =
    (method: string) =>
    (...args: unknown[]): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const n = ++last;
        pending.set(n, { resolve, reject });
        worker.postMessage({ n, method, args });
      });
  return Object.fromEntries(methods.map((method) => [method, call(method)])) as unknown as T;
}

/** The worker's end: answers one request. */
export async function answerCall(target: object, { n, method, args }: Call): Promise<Answer> {
  try {
    const run: unknown = Reflect.get(target, method);
    if (typeof run !== 'function') throw new Error(`there is no ${method}`);
    return { n, value: await Reflect.apply(run, target, [...args]) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return { n, error: { name, message } };
  }
}
