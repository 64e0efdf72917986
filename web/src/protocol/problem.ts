/** The stable words by which the server says why it refused; plus two that only a client can know. */
export const errorCodes = [
  "bad_request",
  "unauthenticated",
  "forbidden",
  "not_found",
  "not_member",
  "muted",
  "banned",
  "conflict",
  "username_taken",
  "too_large",
  "unsupported_media",
  "invalid",
  "rate_limited",
  "internal",
  "unavailable",
  // The server was not reached: no network, or it does not answer.
  "network",
  // The server answered something that this client cannot read.
  "unreadable",
] as const;

export type ErrorCode = (typeof errorCodes)[number];

/** One field of a form that the server did not accept, and why. */
export interface FieldError {
  field: string;
  message: string;
}

/** A call that was refused or did not arrive. Screens choose their words by `code`; `detail` is the server's sentence. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly code: ErrorCode,
    readonly detail: string,
    /** The HTTP status; 0 where there was none. */
    readonly status = 0,
    /** On `invalid`: which fields. */
    readonly errors: readonly FieldError[] = [],
    /** On `rate_limited` and `unavailable`: when to try again. */
    readonly retryAfterMs: number | null = null,
  ) {
    super(`${code}: ${detail}`);
  }

  /** Whether the same call may succeed later without anybody changing it. */
  get retryable(): boolean {
    return (
      this.code === "network" ||
      this.code === "unavailable" ||
      this.code === "rate_limited" ||
      this.code === "internal"
    );
  }
}

/** The code for a word that came over the wire; a word this client does not know counts as `internal`. */
export function errorCodeOf(word: string): ErrorCode {
  return (errorCodes as readonly string[]).includes(word) ? (word as ErrorCode) : "internal";
}
