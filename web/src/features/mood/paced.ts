/** Something that is done again and again, but not too often. */
export interface Paced {
  /** It is done once more, within `everyMs` of the first wish. */
  soon(): void;
  /** Ends it, and gives up what is under way. */
  stop(): void;
}

/** After failures the time between attempts doubles, up to this many times `everyMs`. */
const slowest = 32;

/**
 * Does something at once, and again when wished or when it says that it has to be tried again: never twice at a time, and
 * with `everyMs` between at least.
 */
export function paced(run: (signal: AbortSignal) => Promise<"done" | "again">, everyMs: number): Paced {
  const ended = new AbortController();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let running = false;
  let wished = false;
  let failures = 0;

  function soon() {
    if (wished) return;
    wished = true;
    // What is under way may have been answered from before the wish, which comes after it. An attempt that waits for
    // better times does so no longer.
    if (!running) startIn(everyMs);
  }
  function startIn(ms: number) {
    if (ended.signal.aborted) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      timer = null;
      wished = false;
      void start();
    }, ms);
  }
  async function start() {
    running = true;
    failures = (await run(ended.signal)) === "again" ? failures + 1 : 0;
    running = false;
    if (wished) startIn(everyMs);
    else if (failures > 0) startIn(everyMs * Math.min(2 ** failures, slowest));
  }

  void start();
  return {
    soon,
    stop() {
      ended.abort();
      if (timer !== null) clearTimeout(timer);
    },
  };
}
