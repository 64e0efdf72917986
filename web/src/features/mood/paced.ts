/** Something that is done again and again, but not too often. */
export interface Paced {
  /** It is done once more, within `everyMs` of the first wish. */
  soon(): void;
  /** Ends it, and gives up what is under way. */
  stop(): void;
}

/** Does something at once, and again when wished: never twice at a time, and with `everyMs` between at least. */
export function paced(run: (signal: AbortSignal) => Promise<void>, everyMs: number): Paced {
  const ended = new AbortController();
  let timer: ReturnType<typeof setTimeout> | null = null;
  let running = false;
  let wished = false;

  function soon() {
    if (ended.signal.aborted || timer !== null) return;
    // What is under way may have been answered from before the wish.
    if (running) wished = true;
    else timer = setTimeout(() => void start(), everyMs);
  }
  async function start() {
    timer = null;
    running = true;
    await run(ended.signal);
    running = false;
    if (!wished) return;
    wished = false;
    soon();
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
