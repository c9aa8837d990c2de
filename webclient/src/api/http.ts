// Requests to /api: JSON both ways, every reply through a parser, the token renewed once on 401.
import { fromUtf8 } from '../protocol/bytes';
import * as s from '../protocol/schema';
import { ApiError } from './error';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** A request; `progress` hears how many bytes of its body have gone. */
export type Asking = RequestInit & { readonly progress?: (sent: number) => void };

/** The part of `fetch` that is used. */
export type Fetch = (path: string, init: Asking) => Promise<Response>;

/** Where the token comes from. */
export interface Tokens {
  readonly current: () => string | null;
  /** A new token, or null when the login has ended. */
  readonly renew: () => Promise<string | null>;
}

export interface Asked {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** A file instead of JSON. */
  readonly file?: Blob;
  readonly progress?: (sent: number) => void;
  /** Gives the request up. */
  readonly signal?: AbortSignal;
  /** Instead of half a minute. */
  readonly timeoutMs?: number;
  /** Without the token. */
  readonly anonymous?: boolean;
}

/** Bytes of an answer at most: a page of 200 sealed messages of 64 KiB each, in base64. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

const refusal = s.object({
  code: s.text,
  message: s.text,
  hint: s.withDefault(s.text, ''),
});

export class Http {
  readonly #fetch: Fetch;
  readonly #tokens: Tokens;

  constructor(fetch: Fetch, tokens: Tokens) {
    this.#fetch = fetch;
    this.#tokens = tokens;
  }

  /** The parsed answer; rejects with ApiError. */
  async ask<T>(method: Method, path: string, parser: s.Parser<T>, asked: Asked = {}): Promise<T> {
    const response = await this.#answer(method, path, asked);
    const body = await readBody(response);
    if (!response.ok) throw refused(response, body);
    try {
      return response.status === 204 ? parser(null, '') : s.parseJsonBytes(parser, body);
    } catch (cause) {
      throw new ApiError(
        response.status,
        'bad_answer',
        `the box answered ${method} ${path} in a way this page does not know`,
        'reload the page; it may be older than the box',
        { cause },
      );
    }
  }

  /** A file, of at most `max` bytes; rejects with ApiError. */
  async read(path: string, max: number, asked: Asked = {}): Promise<Blob> {
    const response = await this.#answer('GET', path, asked);
    if (!response.ok) throw refused(response, await readBody(response));
    if (Number(response.headers.get('content-length') ?? 0) > max) {
      throw new ApiError(response.status, 'bad_answer', 'the file is too large', '');
    }
    try {
      return await response.blob();
    } catch (cause) {
      throw new ApiError(0, 'offline', 'the file broke off', 'check the network', { cause });
    }
  }

  /** The answer, the token renewed once. */
  async #answer(method: Method, path: string, asked: Asked): Promise<Response> {
    // A tab that does not hold the connection may have no token yet.
    const token =
      asked.anonymous === true ? null : (this.#tokens.current() ?? (await this.#tokens.renew()));
    const response = await this.#send(method, path, asked, token);
    if (response.status !== 401 || token === null) return response;
    const renewed = await this.#tokens.renew();
    return renewed === null ? response : this.#send(method, path, asked, renewed);
  }

  async #send(method: Method, path: string, asked: Asked, token: string | null): Promise<Response> {
    const headers: Record<string, string> = { accept: 'application/json', ...asked.headers };
    if (token !== null) headers['authorization'] = `Bearer ${token}`;
    const { file, progress, timeoutMs = TIMEOUT_MS } = asked;
    const late = AbortSignal.timeout(timeoutMs);
    const signal = asked.signal === undefined ? late : AbortSignal.any([late, asked.signal]);
    const init: Asking = {
      method,
      headers,
      signal,
      ...(progress === undefined ? {} : { progress }),
    };
    if (file !== undefined) {
      headers['content-type'] = 'application/octet-stream';
      init.body = file;
    } else if (asked.body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(asked.body);
    }
    try {
      return await this.#fetch(path, init);
    } catch (cause) {
      const message = 'the box does not answer';
      throw new ApiError(0, 'offline', message, 'check the network, then try again', { cause });
    }
  }
}

async function readBody(response: Response): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new ApiError(0, 'offline', 'the answer broke off', 'check the network', { cause });
  }
  if (bytes.length > ANSWER_BYTES_MAX) {
    throw new ApiError(response.status, 'bad_answer', 'the answer is too large', 'reload the page');
  }
  return bytes;
}

function refused(response: Response, body: Uint8Array): ApiError {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1_000 : null;
  try {
    const { code, message, hint } = s.parseJson(refusal, fromUtf8(body));
    return new ApiError(response.status, code, message, hint, { retryAfterMs });
  } catch (cause) {
    const message = `the box answered ${response.status}`;
    return new ApiError(response.status, 'bad_answer', message, 'try again', { cause });
  }
}

/** For answers of 204. */
export const nothing: s.Parser<null> = () => null;
