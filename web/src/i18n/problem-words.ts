import type { TFunction } from "i18next";

const worded = [
  "network",
  "unavailable",
  "rate_limited",
  "forbidden",
  "not_found",
  "not_member",
  "muted",
  "banned",
  "conflict",
  "too_large",
  "invalid",
  "unauthenticated",
] as const;

/** What went wrong, in the person's language: by the stable code that refusals carry, never by the server's sentence. */
export function problemWords(error: unknown, t: TFunction): string {
  const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
  const known = worded.find((word) => word === code);
  return t(`errors.${known ?? "other"}`);
}
