// Requests: the token renewed once, refusals as they were said, answers that do not read refused.
import { describe, expect, test } from 'vitest';
import * as s from '../protocol/schema';
import { Http, nothing } from './http';

interface Said {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

function http(
  answers: (Said | Error)[],
  renewed: string | null = 'new',
  current: string | null = 'old',
) {
  const asked: { path: string; auth: string | null; body: unknown }[] = [];
  let renewals = 0;
  const fetch = async (path: string, init: RequestInit): Promise<Response> => {
    const auth = new Headers(init.headers).get('authorization');
    asked.push({ path, auth, body: init.body });
    const said = answers.shift();
    if (said === undefined || said instanceof Error) throw said ?? new Error('not asked for');
    const text = said.body === undefined ? null : JSON.stringify(said.body);
    return new Response(text, { status: said.status, headers: said.headers ?? {} });
  };
  const made = new Http(fetch, {
    current: () => current,
    renew: async () => {
      renewals++;
      return renewed;
    },
  });
  return { made, asked, renewals: () => renewals };
}

const yes = s.object({ yes: s.flag });
const no = (status: number, code: string): Said => ({
  status,
  body: { code, message: 'no', hint: 'do this' },
});

describe('a token that has ended', () => {
  test('is renewed once and the request sent again', async () => {
    const { made, asked } = http([no(401, 'sign_in'), { status: 200, body: { yes: true } }]);
    expect(await made.ask('GET', '/api/x', yes)).toEqual({ yes: true });
    expect(asked.map(({ auth }) => auth)).toEqual(['Bearer old', 'Bearer new']);
  });

  test('is made where there is none yet, as in a tab that only follows', async () => {
    const { made, asked } = http([{ status: 200, body: { yes: true } }], 'new', null);
    expect(await made.ask('GET', '/api/x', yes)).toEqual({ yes: true });
    expect(asked.map(({ auth }) => auth)).toEqual(['Bearer new']);
  });

  test('is not renewed for ever, and not for requests without one', async () => {
    const twice = http([no(401, 'sign_in'), no(401, 'sign_in')]);
    await expect(twice.made.ask('GET', '/api/x', yes)).rejects.toMatchObject({ code: 'sign_in' });
    expect(twice.renewals()).toBe(1);
    const wrong = http([no(401, 'wrong_login')]);
    const login = wrong.made.ask('POST', '/api/auth/login', yes, { anonymous: true });
    await expect(login).rejects.toMatchObject({
      code: 'wrong_login',
      hint: 'do this',
      status: 401,
    });
    expect([wrong.renewals(), wrong.asked[0]?.auth]).toEqual([0, null]);
    const ended = http([no(401, 'sign_in')], null);
    await expect(ended.made.ask('GET', '/api/x', yes)).rejects.toMatchObject({ code: 'sign_in' });
  });
});

test('a refusal says when to come back', async () => {
  const { made } = http([{ ...no(429, 'too_many_tries'), headers: { 'retry-after': '7' } }]);
  await expect(made.ask('GET', '/api/x', yes)).rejects.toMatchObject({ retryAfterMs: 7_000 });
});

test('no answer, no JSON and another shape are told apart', async () => {
  const cases: [Said | Error, string][] = [
    [new TypeError('network'), 'offline'],
    [{ status: 502 }, 'bad_answer'],
    [{ status: 200, body: { yes: 'maybe' } }, 'bad_answer'],
    [{ status: 200, body: [] }, 'bad_answer'],
    [{ status: 200 }, 'bad_answer'],
  ];
  for (const [said, code] of cases) {
    await expect(http([said]).made.ask('GET', '/api/x', yes)).rejects.toMatchObject({ code });
  }
  expect(await http([{ status: 204 }]).made.ask('DELETE', '/api/x', nothing)).toBeNull();
});
