import { useLayoutEffect, useState } from "react";
import type { RoomId, Seq } from "../../protocol/ids";
import { useSync } from "../../sync/hooks";
import type { Timeline } from "../../sync/views";
import type { Opening } from "./use-timeline-window";

/** Whether the row for a number, or the one that follows it, is among what is loaded. */
function isLoaded({ items, older, newer }: Timeline, seq: number): boolean {
  const index = items.indexOfSeq(seq as Seq);
  if (index >= items.length) return newer === "end";
  const item = items.at(index)!;
  if (item.kind === "hole") return false;
  return index > 0 || older === "end" || item.kind === "pending" || item.seq <= seq;
}

/**
 * Where a room opens: at the number that was asked for, else where it was left, else at the first unread message, else
 * at the bottom. Null until the messages there are loaded: rows from elsewhere would only flash by, and count as read.
 */
export function useOpening(roomId: RoomId, timeline: Timeline, at: Seq | null): Opening | null {
  const sync = useSync();

  function wanted(): Opening {
    const left = at === null ? sync.timeline.scrollAnchor(roomId) : null;
    if (left) return left;
    return { seq: at ?? timeline.firstUnreadSeq, offsetPx: null };
  }
  function decide(): Opening | null {
    if (timeline.status !== "ready") return null;
    const opening = wanted();
    return opening.seq === null || isLoaded(timeline, opening.seq) ? opening : null;
  }

  const [opening, setOpening] = useState<Opening | null>(null);
  // A loaded room is drawn in the frame in which it is opened.
  const decided = opening ?? decide();
  if (opening === null && decided !== null) setOpening(decided);
  const waits = decided === null && timeline.status === "ready";
  useLayoutEffect(() => {
    if (!waits) return;
    const target = wanted();
    let current = true;
    const open = () => {
      if (current) setOpening(target);
    };
    // Without a connection it opens as near as the device can.
    sync.timeline.loadAround(roomId, target.seq as Seq).then(open, open);
    return () => {
      current = false;
    };
    // Where it opens is decided once.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [waits]);
  return decided;
}
