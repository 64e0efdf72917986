import { describe, expect, it } from "vitest";
import { fuzzyScore } from "./fuzzy";

function best(names: readonly string[], query: string): string | undefined {
  return names
    .flatMap((name) => {
      const score = fuzzyScore(name, query);
      return score === null ? [] : [{ name, score }];
    })
    .sort((a, b) => b.score - a.score)[0]?.name;
}

describe("finding a room by a few letters", () => {
  const names = ["general", "design", "product design", "디자인 팀", "랜덤", "dev-signals", "Großes Büro"];

  it.each([
    ["des", "design"],
    ["pd", "product design"],
    ["ds", "dev-signals"],
    ["디팀", "디자인 팀"],
    ["BÜRO", "Großes Büro"],
    ["gen", "general"],
  ])("%s finds %s", (query, name) => {
    expect(best(names, query)).toBe(name);
  });

  it("finds nothing where letters are missing or in another order", () => {
    expect(fuzzyScore("general", "lareneg")).toBeNull();
    expect(fuzzyScore("general", "generalx")).toBeNull();
  });
});
