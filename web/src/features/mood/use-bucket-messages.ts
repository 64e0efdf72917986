import { useEffect, useEffectEvent, useState } from "react";
import type { MoodBucket } from "../../protocol/http";
import { after, type MessageId, type RoomId, type Seq } from "../../protocol/ids";
import type { Message } from "../../protocol/model";
import { useSync } from "../../sync/hooks";
import type { MoodLabel } from "../../ui/mood-icon";
import { isIn, totalOf, type Slot } from "./slots";

/** Messages a page, rows that a person asks for at a time, and pages that are read for them at most. */
const pageMessages = 100;
const rowsAtATime = 20;
const pagesAtATime = 10;

/** What of a slot has been read, from its newest message backwards. */
interface Held {
  readonly messages: ReadonlyMap<MessageId, Message>;
  /** Everything from this number on has been read. */
  readonly from: Seq;
  /** The newest number that the list knows of. */
  readonly newest: Seq;
  readonly pages: number;
}

function nothingOf({ last_seq }: MoodBucket): Held {
  return { messages: new Map(), from: after(last_seq), newest: last_seq, pages: 0 };
}

/** Puts in what belongs to the slot, and takes out what no longer does; a later state of a message wins. */
function withMessages(held: Held, slot: Slot, messages: readonly Message[]): Held {
  const next = new Map(held.messages);
  let { newest } = held;
  for (const message of messages) {
    const before = next.get(message.id);
    if (message.seq < held.from || (before && before.changed_seq >= message.changed_seq)) continue;
    if (message.sentiment === null || !isIn(slot, message.created_at)) next.delete(message.id);
    else {
      next.set(message.id, message);
      if (message.seq > newest) newest = message.seq;
    }
  }
  return { ...held, messages: next, newest };
}

/** The messages behind a bar, newest first, of one mood or all. Mount it anew for each slot. */
export function useBucketMessages({
  roomId,
  slot,
  bucket,
  only,
}: {
  roomId: RoomId;
  slot: Slot;
  bucket: MoodBucket;
  only: MoodLabel | null;
}) {
  const sync = useSync();
  const [held, setHeld] = useState(() => nothingOf(bucket));
  const [asked, setAsked] = useState({ rows: rowsAtATime, pages: pagesAtATime });
  const [problem, setProblem] = useState<unknown>(null);
  // A message that was counted but never told of: the list begins again.
  if (bucket.last_seq > held.newest) setHeld(nothingOf(bucket));

  const rows = [...held.messages.values()]
    .filter(({ sentiment }) => only === null || sentiment?.label === only)
    .sort((a, b) => b.seq - a.seq);
  const total = only === null ? totalOf(bucket) : bucket[only];
  const oldestSeq = bucket.first_seq;
  const more = held.from > oldestSeq && rows.length < total;
  const reads = more && rows.length < asked.rows && held.pages < asked.pages && problem === null;

  useEffect(() => {
    if (!reads) return;
    const unwanted = new AbortController();
    sync.api.listMessages(roomId, { before: held.from, limit: pageMessages }, unwanted.signal).then(
      (page) => {
        if (unwanted.signal.aborted) return;
        const oldest = page.messages[0]?.seq ?? oldestSeq;
        setHeld((before) => ({
          ...withMessages({ ...before, from: oldest }, slot, page.messages),
          pages: before.pages + 1,
        }));
      },
      (reason: unknown) => {
        if (!unwanted.signal.aborted) setProblem(reason);
      },
    );
    return () => {
      unwanted.abort();
    };
  }, [sync, roomId, slot, oldestSeq, reads, held.from]);

  const onMoodChange = useEffectEvent((messages: readonly Message[] | null) => {
    setHeld((before) => (messages === null ? nothingOf(bucket) : withMessages(before, slot, messages)));
  });
  useEffect(
    () =>
      sync.onMoodChange((change) => {
        if (change.roomId === roomId) onMoodChange(change.messages);
      }),
    [sync, roomId],
  );

  return {
    rows: rows.slice(0, asked.rows),
    loading: reads,
    more: more || rows.length > asked.rows,
    problem,
    loadMore: () => {
      setProblem(null);
      setAsked({ rows: Math.max(asked.rows, rows.length) + rowsAtATime, pages: held.pages + pagesAtATime });
    },
  };
}
