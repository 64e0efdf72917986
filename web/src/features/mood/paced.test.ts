import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { paced } from "./paced";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

it("runs at once, and after any number of wishes once within the time", async () => {
  const run = vi.fn(() => Promise.resolve("done" as const));
  const pace = paced(run, 1000);
  expect(run).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(0);
  for (let wish = 0; wish < 50; wish++) {
    pace.soon();
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(run).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(500);
  expect(run).toHaveBeenCalledTimes(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(run).toHaveBeenCalledTimes(2);
});

it("never runs twice at a time: what is wished meanwhile comes after", async () => {
  let finish: (how: "done") => void = () => undefined;
  const run = vi.fn(() => new Promise<"done">((resolve) => (finish = resolve)));
  const pace = paced(run, 1000);
  pace.soon();
  await vi.advanceTimersByTimeAsync(5000);
  expect(run).toHaveBeenCalledTimes(1);
  finish("done");
  await vi.advanceTimersByTimeAsync(999);
  expect(run).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(run).toHaveBeenCalledTimes(2);
});

it("is tried again after failures, later each time, and at once when it is wished", async () => {
  let answer: "done" | "again" = "again";
  const run = vi.fn(() => Promise.resolve(answer));
  const pace = paced(run, 1000);
  const runsAfter = async (ms: number) => {
    run.mockClear();
    await vi.advanceTimersByTimeAsync(ms);
    return run.mock.calls.length;
  };
  await vi.advanceTimersByTimeAsync(0);
  expect(await runsAfter(1999)).toBe(0);
  expect(await runsAfter(1)).toBe(1);
  expect(await runsAfter(3999)).toBe(0);
  expect(await runsAfter(1)).toBe(1);
  expect(await runsAfter(600_000)).toBeGreaterThan(15);
  pace.soon();
  await vi.advanceTimersByTimeAsync(900);
  pace.soon();
  answer = "done";
  expect(await runsAfter(100)).toBe(1);
  expect(await runsAfter(600_000)).toBe(0);
});

it("gives up when it is stopped, and takes no more wishes", async () => {
  const signals: AbortSignal[] = [];
  const pace = paced((signal) => {
    signals.push(signal);
    return Promise.resolve("again");
  }, 1000);
  await vi.advanceTimersByTimeAsync(0);
  pace.soon();
  pace.stop();
  pace.soon();
  await vi.advanceTimersByTimeAsync(5000);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
});
