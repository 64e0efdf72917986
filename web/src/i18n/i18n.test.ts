import { describe, expect, it } from "vitest";
import en from "./en.json";
import ko from "./ko.json";

type Words = { [key: string]: string | Words };

function flatten(words: Words, prefix = ""): Map<string, string> {
  const flat = new Map<string, string>();
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === "string") flat.set(prefix + key, value);
    else for (const [inner, word] of flatten(value, `${prefix}${key}.`)) flat.set(inner, word);
  }
  return flat;
}

const english = flatten(en);
const korean = flatten(ko);
const placeholders = (word: string) => [...word.matchAll(/\{\{(\w+)\}\}/g)].map((match) => match[1]).sort();

describe("the two languages", () => {
  it("say the same things; Korean has no singular", () => {
    const expected = [...english.keys()].filter((key) => !key.endsWith("_one")).sort();
    expect([...korean.keys()].sort()).toEqual(expected);
  });

  it("fill the same gaps", () => {
    for (const [key, word] of korean)
      expect(placeholders(word), key).toEqual(placeholders(english.get(key)!));
  });

  it("leave no Korean particle to chance", () => {
    for (const [key, word] of korean) {
      // 을/를, 이/가, 은/는 depend on the last sound of what fills the gap: only 님, 방 and the like may follow it.
      // What fills {{names}} always ends in 님 or 명, which sound alike.
      expect(word.replaceAll("{{names}}", ""), key).not.toMatch(
        /\}\}[’”]?(을|를|이|가|은|는|와|과|으로|로)(?=[\s,.]|$)/,
      );
    }
  });
});
