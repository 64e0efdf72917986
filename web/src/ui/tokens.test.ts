import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { avatarColorOf, avatarColors, initialsOf } from "./avatar-color";

const css = readFileSync(`${import.meta.dirname}/tokens.css`, "utf8");

function token(name: string, theme: "light" | "dark"): string {
  const value = new RegExp(`--${name}: (.+?);`).exec(css)?.[1];
  if (!value) throw new Error(`no token ${name}`);
  const pair = /^light-dark\((#\w{6}), (#\w{6})\)$/.exec(value);
  return pair ? pair[theme === "light" ? 1 : 2]! : value;
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((start) => {
    const channel = parseInt(hex.slice(start, start + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (light + 0.05) / (dark + 0.05);
}

const surfaces = ["surface", "surface-sunken", "surface-raised", "surface-hover", "accent-soft"];
const codeTokens = [
  "foreground",
  "token-constant",
  "token-string",
  "token-comment",
  "token-keyword",
  "token-function",
];

/** What is written on what, and the least contrast that WCAG asks of it: 7 for messages, 4.5 for text, 3 for controls. */
const pairs: [string, string, number][] = [
  ...surfaces.map((ground): [string, string, number] => ["text", ground, 7]),
  ...[...surfaces, "surface-active"].map((ground): [string, string, number] => ["text-muted", ground, 4.5]),
  ...surfaces.map((ground): [string, string, number] => ["accent-text", ground, 4.5]),
  ...[...surfaces.slice(0, 4), "danger-soft"].map((ground): [string, string, number] => [
    "danger",
    ground,
    4.5,
  ]),
  ...[...surfaces, "surface-active"].flatMap((ground): [string, string, number][] => [
    ["positive", ground, 4.5],
    ["negative", ground, 4.5],
  ]),
  ...surfaces.slice(0, 3).map((ground): [string, string, number] => ["neutral", ground, 3]),
  ...surfaces.slice(0, 3).map((ground): [string, string, number] => ["line-strong", ground, 3]),
  ...[...surfaces.slice(0, 3), "surface-active"].map((ground): [string, string, number] => [
    "focus",
    ground,
    3,
  ]),
  ["on-accent", "accent", 7],
  ["on-accent", "accent-hover", 7],
  ["on-danger", "danger-solid", 4.5],
  ["on-danger", "danger-solid-hover", 4.5],
  ...codeTokens.map((name): [string, string, number] => [`code-${name}`, "code-background", 4.5]),
  ...Array.from({ length: avatarColors }, (_, i): [string, string, number] => [
    "on-avatar",
    `avatar-${i + 1}`,
    4.5,
  ]),
];

describe.each(["light", "dark"] as const)("colours, %s", (theme) => {
  it.each(pairs)("%s on %s has a contrast of at least %d", (ink, ground, least) => {
    expect(contrast(token(ink, theme), token(ground, theme))).toBeGreaterThanOrEqual(least);
  });
});

describe("avatars", () => {
  it("spread people over all colours", () => {
    const seen = new Set(
      Array.from({ length: 200 }, (_, i) => avatarColorOf(`0192f0c1-0000-7000-8000-${i}`)),
    );
    expect(seen.size).toBe(avatarColors);
  });

  it.each([
    ["Mina", "M"],
    ["jun park", "JP"],
    ["김민아", "민아"],
    ["민아", "민아"],
    ["👩‍👩‍👧 family", "👩‍👩‍👧F"],
    ["", "?"],
  ])("%s is written %s", (name, initials) => {
    expect(initialsOf(name)).toBe(initials);
  });
});
