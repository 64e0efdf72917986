import { isLater, mergeMessage } from "./messages";
import { noSeq, type MessageId, type Seq } from "../protocol/ids";
import type { Message } from "../protocol/model";
import type { ServiceEvent, TimelineItem } from "./views";

/** One numbered thing of a room that can be shown: a message, or an event about members or the room. */
export type LogEntry = Extract<TimelineItem, { kind: "message" | "service" }>;

/** The entries whose numbers share `index * bucketSpan`, ascending. Replaced as a whole when one of them changes. */
export interface Bucket {
  readonly index: number;
  readonly entries: readonly LogEntry[];
}

/**
 * What is held of a room, by number. Numbers are cut into spans of equal length, so that a change copies one span of at
 * most {@link bucketSpan} entries and the list of spans (400 for 100,000 messages), and never the room. Where a number
 * goes depends on nothing but the number: the same entries give the same log, whatever order they came in.
 */
export interface Log {
  readonly buckets: readonly Bucket[];
  /** How many entries there are. */
  readonly size: number;
}

/**
 * Long enough for short lists of buckets, short enough to copy one for every event: one more message in a room of
 * 100,000, rows included, was measured at 55 µs on a busy machine.
 */
export const bucketSpan = 256;

export const emptyLog: Log = { buckets: [], size: 0 };

export function messageEntry(message: Message): LogEntry {
  return { kind: "message", key: message.id, seq: message.seq, message, pendingChange: null };
}

export function serviceEntry(event: ServiceEvent): LogEntry {
  return { kind: "service", key: `service-${event.seq}`, seq: event.seq, events: [event] };
}

/** The index of the first bucket whose index is at least `index`. */
function bucketFrom(buckets: readonly Bucket[], index: number): number {
  let low = 0;
  let high = buckets.length;
  // Nearly every call is about the newest bucket.
  const last = buckets[high - 1];
  if (last !== undefined && last.index < index) return high;
  if (last !== undefined && last.index === index) return high - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (buckets[middle]!.index < index) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The index of the first entry whose number is at least `seq`. */
export function entryFrom(entries: readonly { readonly seq: Seq }[], seq: Seq): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (entries[middle]!.seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The entry with that number. */
export function entryAt(log: Log, seq: Seq): LogEntry | undefined {
  const index = Math.floor(seq / bucketSpan);
  const bucket = log.buckets[bucketFrom(log.buckets, index)];
  if (bucket?.index !== index) return undefined;
  const entry = bucket.entries[entryFrom(bucket.entries, seq)];
  return entry?.seq === seq ? entry : undefined;
}

/** The message with that number. */
export function messageAt(log: Log, seq: Seq): Message | undefined {
  const entry = entryAt(log, seq);
  return entry?.kind === "message" ? entry.message : undefined;
}

/**
 * The log with those entries in it. A message replaces the one with its number only if it is later; everything else
 * that is there already stays. Returns the same log when nothing changes.
 */
export function putEntries(log: Log, entries: readonly LogEntry[]): Log {
  if (entries.length === 0) return log;
  const byBucket = new Map<number, LogEntry[]>();
  for (const entry of entries) {
    const index = Math.floor(entry.seq / bucketSpan);
    const group = byBucket.get(index);
    if (group) group.push(entry);
    else byBucket.set(index, [entry]);
  }
  let buckets: Bucket[] | null = null;
  let size = log.size;
  for (const [index, group] of byBucket) {
    const current = buckets ?? log.buckets;
    const at = bucketFrom(current, index);
    const held = current[at]?.index === index ? current[at] : undefined;
    const merged = mergeEntries(held?.entries ?? [], group);
    if (held !== undefined && merged === held.entries) continue;
    buckets ??= [...log.buckets];
    buckets.splice(at, held === undefined ? 0 : 1, { index, entries: merged });
    size += merged.length - (held?.entries.length ?? 0);
  }
  return buckets === null ? log : { buckets, size };
}

function mergeEntries(held: readonly LogEntry[], incoming: readonly LogEntry[]): readonly LogEntry[] {
  let entries: LogEntry[] | null = null;
  for (const entry of incoming) {
    const current = entries ?? held;
    const at = entryFrom(current, entry.seq);
    const present = current[at]?.seq === entry.seq ? current[at] : undefined;
    const merged = present === undefined ? entry : mergeEntry(present, entry);
    if (merged === present) continue;
    entries ??= [...held];
    entries.splice(at, present === undefined ? 0 : 1, merged);
  }
  return entries ?? held;
}

function mergeEntry(held: LogEntry, incoming: LogEntry): LogEntry {
  if (held.kind !== "message" || incoming.kind !== "message") return held;
  const message = mergeMessage(held.message, incoming.message);
  if (message === held.message) return held;
  return message === incoming.message ? incoming : messageEntry(message);
}

/** Whether `a` says more than `b`, which has the same number. */
export function isLaterEntry(a: LogEntry, b: LogEntry): boolean {
  return a.kind === "message" && b.kind === "message" && isLater(a.message, b.message);
}

/** The log without the entries below `from`. */
export function dropEntriesBelow(log: Log, from: Seq): Log {
  const index = Math.floor(from / bucketSpan);
  const at = bucketFrom(log.buckets, index);
  let buckets = log.buckets.slice(at);
  const first = buckets[0];
  if (first?.index === index) {
    const entries = first.entries.slice(entryFrom(first.entries, from));
    buckets = [...(entries.length > 0 ? [{ index, entries }] : []), ...buckets.slice(1)];
  }
  const size = buckets.reduce((sum, bucket) => sum + bucket.entries.length, 0);
  return size === log.size ? log : { buckets, size };
}

/** The entries with a number of at least `from`, newest first. */
export function* newestFirst(log: Log, from: Seq): Generator<LogEntry> {
  for (let b = log.buckets.length - 1; b >= 0; b--) {
    const { entries } = log.buckets[b]!;
    for (let e = entries.length - 1; e >= 0; e--) {
      const entry = entries[e]!;
      if (entry.seq < from) return;
      yield entry;
    }
  }
}

/** The newest message that is held, as an entry. */
export function newestMessageEntry(log: Log): Extract<LogEntry, { kind: "message" }> | undefined {
  for (const entry of newestFirst(log, noSeq)) if (entry.kind === "message") return entry;
  return undefined;
}

const keysOfEntries = new WeakMap<readonly LogEntry[], Map<string, LogEntry>>();

/**
 * The entry with that key. Keys are indexed a bucket at a time, when first asked for; ids are asked for near the newest
 * end far more often than elsewhere.
 */
export function entryOfKey(log: Log, key: string): LogEntry | undefined {
  for (let b = log.buckets.length - 1; b >= 0; b--) {
    const { entries } = log.buckets[b]!;
    let keys = keysOfEntries.get(entries);
    if (keys === undefined) {
      keys = new Map(entries.map((entry) => [entry.key, entry]));
      keysOfEntries.set(entries, keys);
    }
    const entry = keys.get(key);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** The message with that id, if it is held. */
export function messageOfId(log: Log, id: MessageId): Message | undefined {
  const entry = entryOfKey(log, id);
  return entry?.kind === "message" ? entry.message : undefined;
}
