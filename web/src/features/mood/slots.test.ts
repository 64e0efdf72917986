import { describe, expect, it } from "vitest";
import type { Seq } from "../../protocol/ids";
import { barsOf, slotsOf, sumOf } from "./slots";

const steps = ["hour", "day", "week"] as const;

/** Around both changes of the clocks, in whatever time zone this runs. */
const moments = ["2026-03-29T01:30:00Z", "2026-10-25T00:30:00Z", "2026-11-27T16:20:30.5Z"].map(
  (time) => new Date(time),
);

const bucket = (at: Date, counts: object, mean: number) => ({
  at: at.toISOString(),
  positive: 0,
  neutral: 0,
  negative: 0,
  mean,
  first_seq: 1 as Seq,
  last_seq: 9 as Seq,
  ...counts,
});

describe.each(steps)("slots of a %s", (step) => {
  it.each(moments)("follow each other without a gap up to %s, and pages do so too", (now) => {
    const slots = [...slotsOf(step, 1, now), ...slotsOf(step, 0, now)];
    for (const [index, { start, end }] of slots.entries()) {
      expect(end.getTime()).toBeGreaterThan(start.getTime());
      if (index > 0) expect(start).toEqual(slots[index - 1]!.end);
    }
    const last = slots.at(-1)!;
    expect(last.start <= now && now < last.end).toBe(true);
  });

  it.each(moments)("begin where people here begin one, at %s", (now) => {
    for (const { start } of slotsOf(step, 0, now)) {
      expect([start.getMinutes(), start.getSeconds(), start.getMilliseconds()]).toEqual([0, 0, 0]);
      if (step !== "hour") expect(start.getHours()).toBe(0);
      if (step === "week") expect(start.getDay()).toBe(1);
    }
  });
});

describe("bars", () => {
  const now = moments[2]!;
  const slots = slotsOf("hour", 0, now);

  it("take what the server counted in their time, and nothing else", () => {
    const inside = bucket(slots[3]!.start, { positive: 2 }, 0.5);
    const outside = bucket(slots.at(-1)!.end, { positive: 2 }, 0.5);
    const bars = barsOf(slots, [inside, outside]);
    expect(bars.map((bar) => bar.bucket)).toEqual(slots.map((_, index) => (index === 3 ? inside : null)));
  });

  it("are summed by how many messages each stands for", () => {
    const bars = barsOf(slots, [
      bucket(slots[0]!.start, { positive: 3 }, 1),
      bucket(slots[1]!.start, { negative: 1 }, -1),
    ]);
    expect(sumOf(bars)).toEqual({ positive: 3, neutral: 0, negative: 1, mean: 0.5 });
    expect(sumOf(barsOf(slots, []))).toBeNull();
  });
});
