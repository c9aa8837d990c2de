// A tiny schema for JSON from elsewhere: each parser takes `unknown` and gives the type or throws.
import { fromB64u, fromUtf8 } from './bytes';
import { isId, parseCode, type Id, type InviteCode } from './ids';
import { parseUniqueJson } from './json';

/** JSON that does not say what it should. `path` tells where. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  constructor(path: string, expected: string) {
    super(`${path === '' ? 'the value' : path} is not ${expected}`);
  }
}

export type Parser<T> = (value: unknown, path: string) => T;
export type Parsed<P> = P extends Parser<infer T> ? T : never;

export const text: Parser<string> = (value, path) => {
  if (typeof value !== 'string') throw new SchemaError(path, 'a text');
  return value;
};

export const flag: Parser<boolean> = (value, path) => {
  if (typeof value !== 'boolean') throw new SchemaError(path, 'true or false');
  return value;
};

/** A whole number from 0 that JavaScript holds exactly: times, positions, counts. */
export const count: Parser<number> = (value, path) => {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new SchemaError(path, 'a whole number from 0');
  }
  return value;
};

export const u32Number: Parser<number> = (value, path) => {
  const number = count(value, path);
  if (number > 0xffff_ffff) throw new SchemaError(path, 'a number below 2^32');
  return number;
};

export const id: Parser<Id> = (value, path) => {
  const name = text(value, path);
  if (!isId(name)) throw new SchemaError(path, 'an id');
  return name;
};

export const code: Parser<InviteCode> = (value, path) => {
  const name = text(value, path);
  const parsed = parseCode(name);
  if (parsed !== name) throw new SchemaError(path, 'an invite code in upper case');
  return parsed;
};

/** Bytes as base64url; exactly `length` of them when given. */
export const bytes =
  (length?: number): Parser<Uint8Array> =>
  (value, path) => {
    const out = fromB64u(text(value, path));
    if (length !== undefined && out.length !== length)
      throw new SchemaError(path, `${length} bytes`);
    return out;
  };

export const oneOf =
  <const T extends string>(...names: T[]): Parser<T> =>
  (value, path) => {
    const found = names.find((name) => name === value);
    if (found === undefined) throw new SchemaError(path, `one of ${names.join(', ')}`);
    return found;
  };

export const list =
  <T>(item: Parser<T>, max = 100_000): Parser<T[]> =>
  (value, path) => {
    if (!Array.isArray(value)) throw new SchemaError(path, 'a list');
    if (value.length > max) throw new SchemaError(path, `a list of at most ${max}`);
    return value.map((entry: unknown, at) => item(entry, `${path}[${at}]`));
  };

/** Those entries of a list that read: for lists in which others' entries must not hide the rest. */
export const readable =
  <T>(item: Parser<T>): Parser<T[]> =>
  (value, path) =>
    list(anything)(value, path).flatMap((entry, at) => {
      try {
        return [item(entry, `${path}[${at}]`)];
      } catch {
        return [];
      }
    });

/** Absent or null: null. */
export const optional =
  <T>(parser: Parser<T>): Parser<T | null> =>
  (value, path) =>
    value === undefined || value === null ? null : parser(value, path);

/** Absent or null: `fallback`. */
export const withDefault =
  <T>(parser: Parser<T>, fallback: T): Parser<T> =>
  (value, path) =>
    value === undefined || value === null ? fallback : parser(value, path);

/** A value of any form, looked at later. */
export const anything: Parser<unknown> = (value) => value;

export const record: Parser<Record<string, unknown>> = (value, path) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SchemaError(path, 'an object');
  }
  return Object.fromEntries(Object.entries(value));
};

/** An object whose keys are checked by `key` and whose values by `item`. */
export const map =
  <K extends string, T>(key: Parser<K>, item: Parser<T>): Parser<Map<K, T>> =>
  (value, path) =>
    new Map(
      Object.entries(record(value, path)).map(([name, entry]) => [
        key(name, path),
        item(entry, `${path}.${name}`),
      ]),
    );

type Fields = Record<string, Parser<unknown>>;
type Shape<F extends Fields> = { readonly [K in keyof F]: Parsed<F[K]> };

/** An object with these fields; further fields are ignored. */
export const object =
  <F extends Fields>(fields: F): Parser<Shape<F>> =>
  (value, path) => {
    const entries = record(value, path);
    const out = Object.entries(fields).map(([name, parser]) => [
      name,
      parser(
        Object.hasOwn(entries, name) ? entries[name] : undefined,
        path === '' ? name : `${path}.${name}`,
      ),
    ]);
    // Built from the very keys of `fields`, each by its own parser.
    return Object.fromEntries(out) as Shape<F>;
  };

export const pair =
  <A, B>(first: Parser<A>, second: Parser<B>): Parser<readonly [A, B]> =>
  (value, path) => {
    if (!Array.isArray(value) || value.length !== 2) throw new SchemaError(path, 'a pair');
    return [first(value[0], `${path}[0]`), second(value[1], `${path}[1]`)];
  };

export const triple =
  <A, B, C>(a: Parser<A>, b: Parser<B>, c: Parser<C>): Parser<readonly [A, B, C]> =>
  (value, path) => {
    if (!Array.isArray(value) || value.length !== 3) throw new SchemaError(path, 'a triple');
    return [a(value[0], `${path}[0]`), b(value[1], `${path}[1]`), c(value[2], `${path}[2]`)];
  };

/** JSON text through a parser; a field twice is refused. */
export function parseJson<T>(parser: Parser<T>, json: string): T {
  return parser(parseUniqueJson(json), '');
}

/** JSON bytes through a parser. */
export function parseJsonBytes<T>(parser: Parser<T>, json: Uint8Array): T {
  return parseJson(parser, fromUtf8(json));
}
