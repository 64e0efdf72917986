import type { Seq } from "../../protocol/ids";
import type { Message, User } from "../../protocol/model";
import type { TimelineItem, TimelineItems } from "../../sync/views";
import { dayOf } from "../../i18n/format";

/** Messages of one person closer than this share one name and picture. */
const groupedWithinMs = 5 * 60_000;

/** An item and what its neighbours make of it. */
export interface Row {
  readonly item: TimelineItem;
  /** The moment whose day line stands above it, where a day begins. */
  readonly dayLine: string | null;
  /** Whether the "New" line stands above it. */
  readonly newLine: boolean;
  /** Whether it goes on under the name of the message before. */
  readonly grouped: boolean;
  /** The message it answers: null where it answers none, undefined where that is not on this device. */
  readonly quoted: Message | null | undefined;
}

/** When an item happened; null where that is not known. */
export function timeOf(item: TimelineItem): string | null {
  switch (item.kind) {
    case "message":
      return item.message.created_at;
    case "pending":
      return item.entry.createdAt;
    case "service":
      return item.events[0].at;
    case "hole":
      return null;
  }
}

/** The number by which an item is found again; null for what has none yet. */
export function seqOfItem(item: TimelineItem): number | null {
  switch (item.kind) {
    case "message":
    case "service":
      return item.seq;
    case "hole":
      return item.after + 1;
    case "pending":
      return null;
  }
}

function senderOf(item: TimelineItem, me: User): string | null {
  if (item.kind === "message") return item.message.sender.id;
  return item.kind === "pending" ? me.id : null;
}

function repliesTo(item: TimelineItem): string | null {
  if (item.kind === "message") return item.message.deleted_at === null ? item.message.reply_to : null;
  return item.kind === "pending" ? item.entry.replyTo : null;
}

function isGrouped(item: TimelineItem, before: TimelineItem | undefined, me: User): boolean {
  if (!before || repliesTo(item) !== null) return false;
  const sender = senderOf(item, me);
  if (sender === null || sender !== senderOf(before, me)) return false;
  const [time, timeBefore] = [timeOf(item), timeOf(before)];
  return time !== null && timeBefore !== null && Date.parse(time) - Date.parse(timeBefore) < groupedWithinMs;
}

function quotedBy(item: TimelineItem, items: TimelineItems): Message | null | undefined {
  const id = repliesTo(item);
  if (id === null) return null;
  const index = items.indexOfKey(id);
  const quoted = index < 0 ? undefined : items.at(index);
  return quoted?.kind === "message" ? quoted.message : undefined;
}

/** Where the "New" line goes: before the first message of somebody else; who came and went is no news. */
function newIndexOf(items: TimelineItems, firstUnreadSeq: number, end: number, me: User): number {
  for (let index = items.indexOfSeq(firstUnreadSeq as Seq); index < end; index++) {
    const item = items.at(index);
    if (item?.kind === "hole" || (item?.kind === "message" && item.message.sender.id !== me.id)) return index;
  }
  return -1;
}

/** The rows from `start` up to but without `end`: only what is drawn is looked at, however long the room is. */
export function rowsOf(
  items: TimelineItems,
  start: number,
  end: number,
  firstUnreadSeq: number | null,
  me: User,
): Row[] {
  const newIndex = firstUnreadSeq === null ? -1 : newIndexOf(items, firstUnreadSeq, end, me);
  let before = start > 0 ? items.at(start - 1) : undefined;
  return items.slice(start, end).map((item, index) => {
    const time = timeOf(item);
    const timeBefore = before && timeOf(before);
    const startsDay = time !== null && (!timeBefore || dayOf(time) !== dayOf(timeBefore));
    const newLine = start + index === newIndex;
    const row: Row = {
      item,
      dayLine: startsDay ? time : null,
      newLine,
      grouped: !startsDay && !newLine && isGrouped(item, before, me),
      quoted: quotedBy(item, items),
    };
    before = item;
    return row;
  });
}
