import { useCallback, useEffect, useRef } from "react";
import type { RoomId, Seq } from "../../protocol/ids";
import { useSync } from "../../sync/hooks";

/**
 * Marks what has been seen as read: what was wholly in view while the person was looking at the page. After "mark
 * unread" nothing more is marked until the room is opened again, or the mark would be gone at once.
 */
export function useReading(roomId: RoomId, readSeq: Seq, unreadFrom: Seq | null) {
  const { read } = useSync();
  const seen = useRef(0);
  const paused = useRef(false);
  const known = useRef({ readSeq, unreadFrom });
  useEffect(() => {
    known.current = { readSeq, unreadFrom };
  });

  const tell = useCallback(() => {
    if (paused.current || document.visibilityState !== "visible" || !document.hasFocus()) return;
    const { readSeq: before, unreadFrom: from } = known.current;
    if (seen.current > before || (from !== null && seen.current >= from))
      read.markRead(roomId, seen.current as Seq);
  }, [read, roomId]);

  useEffect(() => {
    window.addEventListener("focus", tell);
    document.addEventListener("visibilitychange", tell);
    return () => {
      window.removeEventListener("focus", tell);
      document.removeEventListener("visibilitychange", tell);
    };
  }, [tell]);

  /** Everything up to this number has been in view. */
  const sawUpTo = useCallback(
    (seq: number) => {
      seen.current = Math.max(seen.current, seq);
      // Rows are looked at while they are being put on the screen, the first ones before their room counts as open. What
      // were read then would never have been new.
      queueMicrotask(tell);
    },
    [tell],
  );
  const pause = useCallback(() => {
    paused.current = true;
  }, []);
  return { sawUpTo, pause };
}
