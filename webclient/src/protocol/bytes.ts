// Bytes: base64url without padding, hex, UTF-8, big-endian numbers, a reader that ends where it says.

/** Bytes that are not what they should be. */
export class BytesError extends Error {
  override readonly name = 'BytesError';
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const VALUES = new Map([...ALPHABET].map((char, value) => [char, value]));

/** Bytes as base64url without padding. */
export function b64u(bytes: Uint8Array): string {
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const group = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    const chars = Math.min(4, bytes.length - at + 1);
    for (let n = 0; n < chars; n++) out += ALPHABET[(group >> (18 - 6 * n)) & 63];
  }
  return out;
}

/** The bytes of a base64url text without padding; loose bits at its end are refused. */
export function fromB64u(text: string): Uint8Array {
  if (text.length % 4 === 1) throw new BytesError('not base64url without padding');
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let bits = 0;
  let held = 0;
  let at = 0;
  for (const char of text) {
    const value = VALUES.get(char);
    if (value === undefined) throw new BytesError('not base64url without padding');
    held = (held << 6) | value;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = held >> bits;
      held &= (1 << bits) - 1;
    }
  }
  if (held !== 0) throw new BytesError('base64url with loose bits at its end');
  return out;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** Bytes as lower-case hex. */
export function hex(bytes: Uint8Array): string {
  let out = '';
  for (const byte of bytes) out += HEX[byte];
  return out;
}

/** The bytes of a lower-case hex text. */
export function fromHex(text: string): Uint8Array {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new BytesError('not lower-case hex');
  const out = new Uint8Array(text.length / 2);
  for (let at = 0; at < out.length; at++)
    out[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16);
  return out;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A text as UTF-8. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

/** The text of UTF-8 bytes; throws on anything else. */
export function fromUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new BytesError('not UTF-8', { cause });
  }
}

/** Bytes one after the other. */
export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** u32 big-endian. */
export function u32(value: number): Uint8Array {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff)
    throw new BytesError('not a u32');
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

/** u64 big-endian, of a number that JavaScript holds exactly. */
export function u64(value: number): Uint8Array {
  if (!Number.isSafeInteger(value) || value < 0) throw new BytesError('not a u64 up to 2^53-1');
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigUint64(0, BigInt(value));
  return out;
}

/** Whether two byte strings are equal. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let different = 0;
  for (let at = 0; at < a.length; at++) different |= (a[at] ?? 0) ^ (b[at] ?? 0);
  return different === 0;
}

/** Reads bytes part by part; every read past the end throws. */
export class Reader {
  #at = 0;
  readonly #what: string;
  readonly #bytes: Uint8Array;

  constructor(what: string, bytes: Uint8Array) {
    this.#what = what;
    this.#bytes = bytes;
  }

  /** The next `count` bytes. */
  take(count: number): Uint8Array {
    if (count > this.#bytes.length - this.#at) throw new BytesError(`${this.#what} ends too early`);
    this.#at += count;
    return this.#bytes.slice(this.#at - count, this.#at);
  }

  u8(): number {
    return this.take(1)[0] ?? 0;
  }

  u32(): number {
    return new DataView(this.take(4).buffer).getUint32(0);
  }

  u64(): number {
    const value = new DataView(this.take(8).buffer).getBigUint64(0);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      throw new BytesError(`${this.#what} holds a number beyond 2^53-1`);
    }
    return Number(value);
  }

  /** The bytes of the next lp(…). */
  part(): Uint8Array {
    return this.take(this.u32());
  }

  /** What is left. */
  rest(): Uint8Array {
    return this.take(this.#bytes.length - this.#at);
  }

  /** Nothing may be left. */
  end(): void {
    if (this.#at !== this.#bytes.length)
      throw new BytesError(`${this.#what} has bytes after its end`);
  }
}
