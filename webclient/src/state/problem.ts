// Whatever went wrong, as the screens say it: code, message, hint.
import { ApiError } from '../api/error';
import { Refused } from '../session/transport';
import type { Problem } from './model';

/** An error that carries a Problem. */
export class ProblemError extends Error implements Problem {
  override readonly name = 'ProblemError';
  readonly code: string;
  readonly hint: string;

  constructor(code: string, message: string, hint: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
    this.hint = hint;
  }
}

/** The Problem in any error. */
export function problemOf(error: unknown): ProblemError {
  if (error instanceof ProblemError) return error;
  if (error instanceof ApiError) {
    return new ProblemError(error.code, error.message, error.hint, error);
  }
  if (error instanceof Refused) return new ProblemError(error.code, error.message, '', error);
  const message = error instanceof Error ? error.message : String(error);
  return new ProblemError('unexpected', message, 'try again; reload the page if it stays', error);
}
