// Every vector of tests/vectors, whoever wrote it, gives what it says.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as s from '../../protocol/schema';
import { Disagreement, operations } from './operations';

const folder = new URL('../../../../tests/vectors/', import.meta.url);

const file = s.object({
  format: s.oneOf('hearth/v1'),
  by: s.text,
  cases: s.list(
    s.object({
      name: s.text,
      op: s.text,
      in: s.anything,
      out: s.optional(s.record),
      error: s.withDefault(s.flag, false),
    }),
  ),
});

const names = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .sort();

test('there are vectors', () => {
  expect(names.length).toBeGreaterThan(0);
});

describe.each(names)('%s', (name) => {
  const { cases } = s.parseJson(file, readFileSync(new URL(name, folder), 'utf8'));
  test.each(cases.map((one) => [`${one.op}: ${one.name}`, one] as const))('%s', async (_, one) => {
    const operation = operations[one.op];
    if (operation === undefined) throw new Error(`no operation ${one.op}`);
    const answer = await Promise.resolve()
      .then(() => operation(one.in))
      .then(
        (out) => ({ out }),
        (error: unknown) => ({ error }),
      );
    if ('error' in answer) {
      expect(answer.error).not.toBeInstanceOf(Disagreement);
      if (!one.error) throw answer.error;
      return;
    }
    expect(one.error, `gave ${JSON.stringify(answer.out)} where it must refuse`).toBe(false);
    expect(answer.out).toMatchObject(one.out ?? {});
  });
});
