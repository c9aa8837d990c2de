// One error for everything that the box answers, or does not.

/** What the box said, or why nothing came: what, and the remedy. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0: no answer. */
  readonly status: number;
  readonly code: string;
  readonly hint: string;
  /** When to come back, ms; null unless told. */
  readonly retryAfterMs: number | null;

  constructor(
    status: number,
    code: string,
    message: string,
    hint: string,
    more: { retryAfterMs?: number | null; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.retryAfterMs = more.retryAfterMs ?? null;
  }
}

/** Whether an error is an ApiError of this code. */
export const isCode = (error: unknown, ...codes: string[]): boolean =>
  error instanceof ApiError && codes.includes(error.code);
