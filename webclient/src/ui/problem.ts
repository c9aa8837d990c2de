// What went wrong, in the reader's language.
import type { Problem } from '../state/model';
import type { Words } from './words/catalogue.svelte';

function text(value: object, key: string): string | null {
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'string' ? found : null;
}

/** Whatever was thrown, as a problem that can be shown. */
export function asProblem(thrown: unknown, words: Words): Problem {
  if (typeof thrown === 'object' && thrown !== null) {
    const code = text(thrown, 'code');
    const message = text(thrown, 'message');
    if (code !== null && message !== null) {
      return { code, message, hint: text(thrown, 'hint') ?? '' };
    }
  }
  const { unexpected, unexpectedHint } = words.problem;
  return { code: 'unexpected', message: unexpected, hint: unexpectedHint };
}

/** What and what now: by the code where the catalogue knows it, else as the box said it. */
export function sentences(problem: Problem, words: Words): { what: string; next: string } {
  const known = words.problem.known[problem.code];
  if (known !== undefined) return { what: known[0], next: known[1] };
  return { what: problem.message, next: problem.hint };
}
