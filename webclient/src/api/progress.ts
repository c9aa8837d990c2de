// Requests that tell how much of them has gone out, which `fetch` does not.
import type { Asking } from './http';

/** As `fetch`, through XMLHttpRequest, for bodies whose progress somebody wants to see. */
export function sendWithProgress(path: string, init: Asking): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = (): void => request.abort();
    const fail = (): void => reject(new TypeError('the request broke off'));
    request.open(init.method ?? 'POST', path);
    request.responseType = 'arraybuffer';
    new Headers(init.headers).forEach((value, name) => request.setRequestHeader(name, value));
    request.upload.onprogress = ({ loaded }) => init.progress?.(loaded);
    request.onload = () => {
      const headers = new Headers();
      for (const name of ['content-type', 'retry-after']) {
        const value = request.getResponseHeader(name);
        if (value !== null) headers.set(name, value);
      }
      const { status } = request;
      const body: unknown = request.response;
      const bytes = body instanceof ArrayBuffer && status !== 204 ? body : null;
      resolve(new Response(bytes, { status, headers }));
    };
    request.onerror = fail;
    request.onabort = fail;
    request.onloadend = () => init.signal?.removeEventListener('abort', stop);
    init.signal?.addEventListener('abort', stop);
    request.send(init.body instanceof Blob ? init.body : null);
  });
}
