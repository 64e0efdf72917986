import { useCallback, useEffect, useMemo, useState } from "react";
import type { MoodBucket, MoodStep } from "../../protocol/http";
import type { RoomId } from "../../protocol/ids";
import { Problem } from "../../protocol/problem";
import { useSync } from "../../sync/hooks";
import { paced } from "./paced";
import { barsOf, slotsOf, spanOf, type Bar } from "./slots";

/** Moods of a busy room come by the dozen: the chart follows them once a second. */
const refreshEveryMs = 1_000;

/** Which time a person looks at. */
export interface MoodTime {
  readonly step: MoodStep;
  /** How many pages back; 0 is now. */
  readonly page: number;
  /** When it was chosen, so that bars do not move under a pointer. */
  readonly nowMs: number;
}

/** What is known of that time. */
export interface MoodTimelineView {
  readonly time: MoodTime;
  readonly show: (step: MoodStep, page: number) => void;
  /** One for each slot; without buckets while they are loading. */
  readonly bars: readonly Bar[];
  readonly status: "loading" | "ready" | "failed";
  /** Why the last attempt failed; with `ready`, what is shown is from before. */
  readonly problem: unknown;
  readonly retry: () => void;
}

const nothing: readonly MoodBucket[] = [];

/** A room's mood over time, kept up to date while it is looked at. */
export function useMoodTimeline(roomId: RoomId): MoodTimelineView {
  const sync = useSync();
  const [time, setTime] = useState<MoodTime>(() => ({ step: "hour", page: 0, nowMs: Date.now() }));
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<{ of: string; buckets: readonly MoodBucket[] } | null>(null);
  const [failure, setFailure] = useState<{ of: string; problem: unknown } | null>(null);
  const { step, page, nowMs } = time;
  const slots = useMemo(() => slotsOf(step, page, new Date(nowMs)), [step, page, nowMs]);
  const { start, end } = spanOf(slots);
  const from = start.toISOString();
  const to = end.toISOString();
  const of = `${step} ${from} ${to}`;

  useEffect(() => {
    const load = async (signal: AbortSignal) => {
      const tz = Intl.DateTimeFormat().resolvedOptions().timeZone;
      try {
        const { buckets } = await sync.api.roomMood(roomId, { from, to, bucket: step, tz }, signal);
        if (signal.aborted) return "done";
        setAnswer({ of, buckets });
        setFailure(null);
      } catch (problem) {
        if (signal.aborted) return "done";
        setFailure({ of, problem });
        if (problem instanceof Problem && problem.retryable) return "again";
      }
      return "done";
    };
    const loading = paced(load, refreshEveryMs);
    const deaf = sync.onMoodChange((change) => {
      if (change.roomId === roomId) loading.soon();
    });
    let connected = sync.views.connection().status === "ok";
    const blind = sync.views.subscribe(() => {
      const before = connected;
      connected = sync.views.connection().status === "ok";
      if (connected && !before) loading.soon();
    });
    return () => {
      deaf();
      blind();
      loading.stop();
    };
  }, [sync, roomId, step, from, to, of, attempt]);

  // Now goes on: when its slot is over, another one begins.
  useEffect(() => {
    if (page > 0) return;
    const timer = setTimeout(
      () => {
        setTime((before) => ({ ...before, nowMs: Date.now() }));
      },
      Math.max(0, Date.parse(to) - Date.now()) + 1,
    );
    return () => {
      clearTimeout(timer);
    };
  }, [page, to]);

  const known = answer?.of === of ? answer.buckets : null;
  const bars = useMemo(() => barsOf(slots, known ?? nothing), [slots, known]);
  const problem = failure?.of === of ? failure.problem : null;
  return {
    time,
    show: useCallback((nextStep, nextPage) => {
      setTime({ step: nextStep, page: nextPage, nowMs: Date.now() });
    }, []),
    bars,
    status: known !== null ? "ready" : problem !== null ? "failed" : "loading",
    problem,
    retry: useCallback(() => {
      setFailure(null);
      setAttempt((count) => count + 1);
    }, []),
  };
}
