// Answers of the box that a test writes itself, before those of the box in memory.
import type { Asking } from '../api/http';
import type { FakeHouse } from './house';

type Answer = unknown | ((body: unknown) => unknown);

/** What the box answers beside what the box in memory does, and what it was sent. */
export class Script {
  readonly sent: { what: string; body: unknown }[] = [];
  readonly answers = new Map<string, Answer>();

  over(house: FakeHouse): void {
    const plain = house.fetch;
    house.fetch = async (path: string, init: Asking) => {
      const what = `${init.method} ${path}`;
      const answer = this.answers.get(what);
      if (answer === undefined) return plain(path, init);
      const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : null;
      this.sent.push({ what, body });
      const value = typeof answer === 'function' ? answer(body) : answer;
      if (value instanceof Response) return value;
      return value === null ? new Response(null, { status: 204 }) : Response.json(value);
    };
  }
}

/** What the box refuses. */
export const refusal = (status: number, code: string): Response =>
  Response.json({ code, message: code, hint: '' }, { status });
