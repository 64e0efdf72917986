import { after, type Seq, type UserId } from "../protocol/ids";
import type { Message } from "../protocol/model";
import { newestFirst } from "./log";
import { covers } from "./ranges";
import type { RoomRecord } from "./state";

/** Counts stop here; more is shown as 99+. */
export const unreadMax = 100;

export interface Unread {
  unread: number;
  mentions: number;
}

/** The first number that counts as unread by a read mark. */
export function firstUnread(read: RoomRecord["read"]): Seq {
  return read.unread_from ?? after(read.read_seq);
}

/** Where the "New" line goes when a room is opened now; null if nothing is unread. */
export function newLineOf(record: RoomRecord, me: UserId): Seq | null {
  return unreadOf(record, me).unread > 0 ? firstUnread(record.read) : null;
}

function countsFor(message: Message, me: UserId): boolean {
  return message.sender.id !== me && message.deleted_at === null;
}

function mentions(message: Message, me: UserId): boolean {
  return message.mentions_all || message.mentions.includes(me);
}

/**
 * What is unread in a room. Where everything from the read mark on is held, it is counted; else the server's last count
 * is corrected by what happened after it: messages since, and deletions of messages it had counted.
 */
export function unreadOf(record: RoomRecord, me: UserId): Unread {
  const from = firstUnread(record.read);
  if (from > record.head) return { unread: 0, mentions: 0 };
  const exact = covers(record.known, from, record.position);
  const counted = record.counts;
  const countedFrom = firstUnread(counted.value);
  // A mark further on leaves fewer unread than were counted, a mark further back at least as many; until the server
  // has counted by the new mark, what is held here is the best guess.
  const useCount = !exact && countedFrom === from;
  let unread = useCount ? counted.value.unread : 0;
  let mentioned = useCount ? counted.value.mentions : 0;
  for (const entry of newestFirst(record.log, from)) {
    if (unread >= unreadMax) break;
    if (entry.kind !== "message") continue;
    const { message } = entry;
    if (useCount && message.seq <= counted.at) {
      const deletedSince = message.deleted_at !== null && message.changed_seq > counted.at;
      if (deletedSince && message.sender.id !== me) unread--;
      continue;
    }
    if (!countsFor(message, me)) continue;
    unread++;
    if (mentions(message, me)) mentioned++;
  }
  return { unread: Math.max(0, Math.min(unread, unreadMax)), mentions: Math.max(0, mentioned) };
}
