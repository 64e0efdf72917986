import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatSpan } from "./format";
import { chooseLanguage, languages } from "./i18n";

const hourMs = 3_600_000;

beforeEach(() => {
  vi.stubEnv("TZ", "Europe/Berlin");
});

afterEach(() => {
  vi.unstubAllEnvs();
});

describe.each(languages)("hours in %s", (language) => {
  it.each(["2026-03-29T00:00:00Z", "2026-10-25T00:00:00Z"])(
    "have names of their own around %s",
    async (time) => {
      await chooseLanguage(language);
      const first = Date.parse(time) - 6 * hourMs;
      const names = Array.from({ length: 12 }, (_, index) =>
        formatSpan(new Date(first + index * hourMs), new Date(first + (index + 1) * hourMs), "hour"),
      );
      expect(new Set(names).size).toBe(12);
    },
  );

  it("that clocks show twice say which of the two they are", async () => {
    await chooseLanguage(language);
    const span = (time: string) => {
      const start = new Date(time);
      return formatSpan(start, new Date(start.getTime() + hourMs), "hour");
    };
    expect(span("2026-10-25T00:00:00Z")).toMatch(/2:00( AM)? (CEST|GMT\+2) – .*2:00( AM)? (CET|GMT\+1)$/);
    expect(span("2026-10-25T01:00:00Z")).toMatch(/2:00( AM)? (CET|GMT\+1) – .*3:00( AM)? (CET|GMT\+1)$/);
    expect(span("2026-10-25T03:00:00Z")).not.toMatch(/CE|GMT/);
  });
});
