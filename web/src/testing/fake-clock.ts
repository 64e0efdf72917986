import type { Timer } from "../sync/world";

interface Due {
  atMs: number;
  order: number;
  run: () => void;
}

const nextTurn = globalThis.setImmediate;

/** Steps of databases that wait for their turn. The fake database makes every step of its own one. */
let waitingSteps = 0;
globalThis.setImmediate = ((step: (...values: unknown[]) => void, ...values: unknown[]) => {
  waitingSteps++;
  return nextTurn(() => {
    waitingSteps--;
    step(...values);
  });
}) as typeof setImmediate;

/** One turn of the event loop: everything that is ready to run has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => nextTurn(resolve));
}

/** Turns without a database at work after which nothing is going on: promises need a few to hand over. */
const quietTurns = 5;

/** Waits until a condition holds, by letting the event loop run and never by the clock. */
export async function until(condition: () => boolean, what = "the condition"): Promise<void> {
  for (let turns = 0; turns < 3_000; turns++) {
    if (condition()) return;
    await turn();
  }
  throw new Error(`${what} did not come about`);
}

/** Lets everything that can run without time passing do so. */
export async function settle(): Promise<void> {
  for (let quiet = 0; quiet < quietTurns;) {
    await turn();
    quiet = waitingSteps === 0 ? quiet + 1 : 0;
  }
}

/** A clock that stands still until it is told to go on. */
export class FakeClock {
  private timers = new Map<number, Due>();
  private lastOrder = 0;
  private current = Date.UTC(2026, 10, 23, 9);

  now(): number {
    return this.current;
  }

  setTimer(run: () => void, delayMs: number): Timer {
    const order = ++this.lastOrder;
    this.timers.set(order, { atMs: this.current + Math.max(0, delayMs), order, run });
    return order as unknown as Timer;
  }

  clearTimer(timer: Timer): void {
    this.timers.delete(timer as unknown as number);
  }

  /** Lets time pass: timers run in the order they are due, and what each sets off runs before the next. */
  async advance(ms: number): Promise<void> {
    const end = this.current + ms;
    await settle();
    for (;;) {
      const next = [...this.timers.values()]
        .filter((due) => due.atMs <= end)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.current = Math.max(this.current, next.atMs);
      this.timers.delete(next.order);
      next.run();
      await settle();
    }
    this.current = end;
  }
}
