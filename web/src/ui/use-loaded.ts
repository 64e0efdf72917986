import { useCallback, useEffect, useState } from "react";

/** Something fetched once for a screen. */
export type Loaded<T> =
  { status: "loading" } | { status: "ready"; value: T } | { status: "failed"; problem: unknown };

/**
 * Fetches when `load` changes, and again on `reload`. `update` shows a change that the server has already accepted,
 * without asking it again.
 */
export function useLoaded<T>(load: () => Promise<T>) {
  const [loaded, setLoaded] = useState<Loaded<T>>({ status: "loading" });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let wanted = true;
    load().then(
      (value) => {
        if (wanted) setLoaded({ status: "ready", value });
      },
      (problem: unknown) => {
        if (wanted) setLoaded({ status: "failed", problem });
      },
    );
    return () => {
      wanted = false;
    };
  }, [load, attempt]);
  const reload = useCallback(() => {
    setLoaded({ status: "loading" });
    setAttempt((count) => count + 1);
  }, []);
  const update = useCallback((change: (value: T) => T) => {
    setLoaded((before) =>
      before.status === "ready" ? { status: "ready", value: change(before.value) } : before,
    );
  }, []);
  return { loaded, reload, update };
}
