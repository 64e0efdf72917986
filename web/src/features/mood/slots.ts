import type { MoodBucket, MoodStep } from "../../protocol/http";
import type { Timestamp } from "../../protocol/model";

/** A stretch of time that one bar stands for, in this device's time zone; the end is not part of it. */
export interface Slot {
  readonly start: Date;
  readonly end: Date;
}

/** A slot, and what was heard in it; null while nothing was. */
export interface Bar {
  readonly key: string;
  readonly slot: Slot;
  readonly bucket: MoodBucket | null;
}

/** Bars side by side: as many as a finger can tell apart in the width of a panel. */
const slotsShown: Record<MoodStep, number> = { hour: 12, day: 7, week: 12 };

const hourMs = 3_600_000;

function beginningOf(date: Date, step: MoodStep): Date {
  if (step === "hour") {
    // By subtraction, since the hour that a clock shows twice in autumn has two beginnings.
    const intoMs = (date.getMinutes() * 60 + date.getSeconds()) * 1000 + date.getMilliseconds();
    return new Date(date.getTime() - intoMs);
  }
  const daysIntoWeek = step === "week" ? (date.getDay() + 6) % 7 : 0;
  return new Date(date.getFullYear(), date.getMonth(), date.getDate() - daysIntoWeek);
}

function stepsFrom(start: Date, step: MoodStep, count: number): Date {
  if (step === "hour") return new Date(start.getTime() + count * hourMs);
  const days = step === "week" ? 7 * count : count;
  return new Date(start.getFullYear(), start.getMonth(), start.getDate() + days);
}

/** The slots of a page: page 0 ends with the slot of `now`, page 1 lies right before it, and so on. */
export function slotsOf(step: MoodStep, page: number, now: Date): readonly Slot[] {
  const count = slotsShown[step];
  const first = stepsFrom(beginningOf(now, step), step, 1 - count * (page + 1));
  return Array.from({ length: count }, (_, index) => ({
    start: stepsFrom(first, step, index),
    end: stepsFrom(first, step, index + 1),
  }));
}

/** The first moment of slots, and the first after them. */
export function spanOf(slots: readonly Slot[]): Slot {
  return { start: slots[0]!.start, end: slots.at(-1)!.end };
}

/** Whether a moment lies in a slot. */
export function isIn({ start, end }: Slot, time: Timestamp): boolean {
  const atMs = Date.parse(time);
  return atMs >= start.getTime() && atMs < end.getTime();
}

/** Gives each slot what the server counted in it. */
export function barsOf(slots: readonly Slot[], buckets: readonly MoodBucket[]): readonly Bar[] {
  return slots.map((slot) => ({
    key: slot.start.toISOString(),
    slot,
    bucket: buckets.find(({ at }) => isIn(slot, at)) ?? null,
  }));
}

/** How many messages were heard. */
export function totalOf(counts: Pick<MoodBucket, "positive" | "neutral" | "negative">): number {
  return counts.positive + counts.neutral + counts.negative;
}

/** All bars as one; null where nothing was heard in any. */
export function sumOf(
  bars: readonly Bar[],
): Pick<MoodBucket, "positive" | "neutral" | "negative" | "mean"> | null {
  const sum = { positive: 0, neutral: 0, negative: 0 };
  let scores = 0;
  for (const { bucket } of bars) {
    if (bucket === null) continue;
    sum.positive += bucket.positive;
    sum.neutral += bucket.neutral;
    sum.negative += bucket.negative;
    scores += bucket.mean * totalOf(bucket);
  }
  const total = totalOf(sum);
  return total === 0 ? null : { ...sum, mean: scores / total };
}
