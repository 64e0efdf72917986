import { describe, expect, it } from "vitest";
import { loadEmoji, searchEmoji } from "./emoji-data";

describe("finding emoji", () => {
  it("puts the name that is typed first", async () => {
    const all = await loadEmoji("en");
    expect(searchEmoji(all, "tada", 5)[0]?.unicode).toBe("🎉");
    expect(searchEmoji(all, "+1", 5)[0]?.unicode).toMatch(/^👍/u);
  });

  it("finds by Korean words, and by shortcodes in Korean too", async () => {
    const all = await loadEmoji("ko");
    expect(searchEmoji(all, "고양이", 20).map((emoji) => emoji.unicode)).toContain("🐱");
    expect(searchEmoji(all, "tada", 5)[0]?.unicode).toBe("🎉");
  });
});
