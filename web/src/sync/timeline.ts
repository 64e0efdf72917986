import { after, type Seq, type UserId } from "../protocol/ids";
import { entryFrom, type Bucket, type Log, type LogEntry } from "./log";
import { withChanges } from "./optimistic";
import type { LoadKey, LoadState, OpenRoom, OptimisticChange, RoomRecord } from "./state";
import { newLineOf } from "./unread";
import type { OutboxEntry, ServiceEvent, Timeline, TimelineEdge, TimelineItem, TimelineItems } from "./views";

/** Rows that were made together and stay the same array until one of them changes. */
interface Segment {
  /** The index of its first item among all items. */
  readonly start: number;
  readonly items: readonly TimelineItem[];
}

/** The rows of a room as a list of segments: a new event makes one segment again, and a list of some hundred of them. */
class SegmentedItems implements TimelineItems {
  private readonly segments: readonly Segment[];
  readonly length: number;

  constructor(parts: readonly (readonly TimelineItem[])[]) {
    let start = 0;
    const segments: Segment[] = [];
    for (const items of parts) {
      if (items.length === 0) continue;
      segments.push({ start, items });
      start += items.length;
    }
    this.segments = segments;
    this.length = start;
  }

  at(index: number): TimelineItem | undefined {
    const segment = this.segments[this.segmentOf(index)];
    return segment?.items[index - segment.start];
  }

  slice(start: number, end: number): readonly TimelineItem[] {
    const from = Math.max(0, start);
    const to = Math.min(end, this.length);
    const result: TimelineItem[] = [];
    for (let s = this.segmentOf(from); s >= 0 && s < this.segments.length; s++) {
      const segment = this.segments[s]!;
      if (segment.start >= to) break;
      for (let i = Math.max(0, from - segment.start); i < segment.items.length; i++) {
        if (segment.start + i >= to) break;
        result.push(segment.items[i]!);
      }
    }
    return result;
  }

  indexOfKey(key: string): number {
    // What is asked for is nearly always near the newest end.
    for (let s = this.segments.length - 1; s >= 0; s--) {
      const segment = this.segments[s]!;
      const index = indexOfKeyIn(segment.items, key);
      if (index !== undefined) return segment.start + index;
    }
    return -1;
  }

  indexOfSeq(seq: Seq): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const item = this.at(middle)!;
      if (lastSeqOf(item) < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The index of the segment that holds the item at `index`; -1 if there is none. */
  private segmentOf(index: number): number {
    if (index < 0 || index >= this.length) return -1;
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (this.segments[middle]!.start <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/** The last number that an item stands for; unsent messages come after every number. */
function lastSeqOf(item: TimelineItem): number {
  switch (item.kind) {
    case "message":
      return item.seq;
    case "service":
      return item.events.at(-1)!.seq;
    case "hole":
      return item.before - 1;
    case "pending":
      return Number.POSITIVE_INFINITY;
  }
}

const indexes = new WeakMap<readonly TimelineItem[], Map<string, number>>();

function indexOfKeyIn(items: readonly TimelineItem[], key: string): number | undefined {
  let index = indexes.get(items);
  if (index === undefined) {
    index = new Map(items.map((item, i) => [item.key, i]));
    indexes.set(items, index);
  }
  return index.get(key);
}

const foldedBuckets = new WeakMap<Bucket, readonly TimelineItem[]>();
const foldedRuns = new WeakMap<ServiceEvent, TimelineItem>();

/**
 * Consecutive events of the same kind become one item: "Mina, Jun and 3 others joined". A run ends where a bucket ends,
 * so that a bucket's items depend on nothing but the bucket.
 */
function fold(entries: readonly LogEntry[]): readonly TimelineItem[] {
  const items: TimelineItem[] = [];
  let run: ServiceEvent[] = [];
  const endRun = () => {
    const [first, ...rest] = run;
    if (first === undefined) return;
    const held = foldedRuns.get(first);
    const same =
      held?.kind === "service" && held.events.length === run.length && held.events.at(-1) === run.at(-1);
    const item: TimelineItem = same
      ? held
      : { kind: "service", key: `service-${first.seq}`, seq: first.seq, events: [first, ...rest] };
    foldedRuns.set(first, item);
    items.push(item);
    run = [];
  };
  for (const entry of entries) {
    if (entry.kind === "message") {
      endRun();
      items.push(entry);
      continue;
    }
    const [event] = entry.events;
    if (run.length > 0 && !sameFold(run[0]!, event)) endRun();
    run.push(event);
  }
  endRun();
  return items;
}

function sameFold(a: ServiceEvent, b: ServiceEvent): boolean {
  return (
    a.kind === "member" &&
    b.kind === "member" &&
    a.member.change === b.member.change &&
    (a.member.change === "joined" || a.member.change === "left")
  );
}

/** The items of a log whose numbers lie in one known range, a segment a bucket. */
function itemsOfRange(log: Log, from: Seq, to: Seq): (readonly TimelineItem[])[] {
  const parts: (readonly TimelineItem[])[] = [];
  for (const bucket of log.buckets) {
    const { entries } = bucket;
    const first = entries[0]!.seq;
    const last = entries.at(-1)!.seq;
    if (last < from) continue;
    if (first > to) break;
    if (first >= from && last <= to) {
      let folded = foldedBuckets.get(bucket);
      if (folded === undefined) {
        folded = fold(entries);
        foldedBuckets.set(bucket, folded);
      }
      parts.push(folded);
    } else {
      parts.push(fold(entries.slice(entryFrom(entries, from), entryFrom(entries, after(to)))));
    }
  }
  return parts;
}

function holeItem(after: Seq, before: Seq, loads: ReadonlyMap<LoadKey, LoadState>): TimelineItem {
  const state = loads.get(`hole-${after}`)?.status ?? "idle";
  return { kind: "hole", key: `hole-${after}`, after, before, count: before - after - 1, state };
}

/** Items with my unconfirmed changes in their places. */
function withOptimistic(
  parts: readonly (readonly TimelineItem[])[],
  changes: readonly OptimisticChange[],
  me: UserId,
  nowIso: string,
): readonly (readonly TimelineItem[])[] {
  if (changes.length === 0) return parts;
  return parts.map((items) => {
    const first = items[0];
    const last = items.at(-1);
    if (first === undefined || last === undefined || first.kind === "hole") return items;
    const here = changes.filter(({ messageId }) => indexOfKeyIn(items, messageId) !== undefined);
    if (here.length === 0) return items;
    return items.map((item): TimelineItem => {
      if (item.kind !== "message") return item;
      const mine = here.filter(({ messageId }) => messageId === item.message.id);
      const latest = mine.at(-1);
      if (latest === undefined) return item;
      const { kind } = latest.change;
      return { ...item, message: withChanges(item.message, mine, me, nowIso), pendingChange: kind };
    });
  });
}

function edge(more: boolean, load: LoadState | undefined): TimelineEdge {
  return more ? (load?.status ?? "more") : "end";
}

const noLoads: ReadonlyMap<LoadKey, LoadState> = new Map();

/** The rows of a room as they are to be shown: known numbers, holes between them, and what is not sent yet. */
export function timelineOf(
  record: RoomRecord,
  open: OpenRoom | undefined,
  pending: readonly OutboxEntry[],
  changes: readonly OptimisticChange[],
  me: UserId,
  nowIso: string,
): Timeline {
  const loads = open?.loads ?? noLoads;
  const parts: (readonly TimelineItem[])[] = [];
  record.known.forEach((range, index) => {
    const previous = record.known[index - 1];
    if (previous !== undefined) parts.push([holeItem(previous.to, range.from, loads)]);
    parts.push(...itemsOfRange(record.log, range.from, range.to));
  });
  const shown = withOptimistic(parts, changes, me, nowIso);
  const first = record.known[0];
  const last = record.known.at(-1);
  const failed = loads.get("first");
  const nothingYet = last === undefined;
  return {
    roomId: record.id,
    status: !nothingYet ? "ready" : failed?.status === "failed" ? "failed" : "loading",
    problem: nothingYet && failed?.status === "failed" ? failed.problem : null,
    items: new SegmentedItems([
      ...shown,
      pending.map((entry) => ({ kind: "pending", key: entry.id, entry }) as const),
    ]),
    older: edge(first === undefined || first.from > 1, loads.get("older")),
    newer: edge(last === undefined || last.to < record.position, loads.get("newer")),
    // A screen draws a room once before it has opened it, and begins where the line will be.
    firstUnreadSeq: open === undefined ? newLineOf(record, me) : open.firstUnreadSeq,
    head: record.head,
  };
}

/** The timeline of a room that is not known yet, or no longer. */
export function emptyTimeline(roomId: RoomRecord["id"]): Timeline {
  return {
    roomId,
    status: "loading",
    problem: null,
    items: new SegmentedItems([]),
    older: "more",
    newer: "more",
    firstUnreadSeq: null,
    head: 0 as Seq,
  };
}
