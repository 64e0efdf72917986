import type { Translate } from "./i18n";

const codesWithWords = [
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

function codeOf(error: unknown): string {
  return typeof error === "object" && error !== null && "code" in error ? String(error.code) : "other";
}

/** Whether a call was refused for this reason. */
export function isProblem(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes(codeOf(error));
}

/** Why a call did not work, in words that a person can act on. */
export function describeProblem(error: unknown, t: Translate): string {
  const code = codesWithWords.find((known) => known === codeOf(error)) ?? "other";
  return t(`errors.${code}`);
}

const refusalWords = ["muted", "banned", "not_member", "too_large", "rate_limited", "conflict"] as const;

/** Why a message was refused, as the words under `composer.refused` know it. */
export type RefusalWord = (typeof refusalWords)[number] | "other";

/** The words for the code with which the server refused a message. */
export function refusalWordOf(code: string | undefined): RefusalWord {
  return refusalWords.find((word) => word === code) ?? "other";
}
