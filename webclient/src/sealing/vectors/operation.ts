// What the operations of tests/vectors/README.md are made of.
import { fromHex } from '../../protocol/bytes';
import * as s from '../../protocol/schema';

export type Out = Record<string, unknown>;
export type Operation = (input: unknown) => Out | Promise<Out>;

export const bytes: s.Parser<Uint8Array> = (value, path) => fromHex(s.text(value, path));

/** An operation from the fields it takes and what it does with them. */
export function op<F extends Record<string, s.Parser<unknown>>>(
  fields: F,
  run: (input: { readonly [K in keyof F]: s.Parsed<F[K]> }) => Out | Promise<Out>,
): Operation {
  const parse = s.object(fields);
  return (input) => run(parse(input, 'in'));
}
