import type { MessageId, RoomId, Seq, UserId } from "../protocol/ids";
import type {
  Attachment,
  Config,
  FoundUser,
  Me,
  Member,
  MemberEvent,
  Message,
  Notify,
  Role,
  RoomEvent,
  Timestamp,
  User,
  Visibility,
} from "../protocol/model";
import type { Problem } from "../protocol/problem";

/**
 * What screens see. Every value here is immutable and keeps its identity until something in it changes, so that
 * `memo` and `===` are enough to skip work.
 */

export type Session =
  /** Looking whether this browser is signed in; nothing of a person can be shown yet. */
  | { status: "restoring" }
  | {
      status: "signed-out";
      /** `ended`: the session ended without this person asking here (expired, password changed, signed out elsewhere). */
      reason: "none" | "ended";
    }
  | {
      status: "signed-in";
      me: Me;
      /** False while `me` and the rooms come from this device and the server has not confirmed the session yet. */
      confirmed: boolean;
    };

export type ConfigView =
  | { status: "loading" }
  | { status: "ready"; config: Config }
  /** Neither this device nor the server could say; it is tried again by itself. */
  | { status: "failed"; problem: Problem };

export type Connection =
  | { status: "ok" }
  /** Not connected, but trying. `sinceMs` is a `Date.now()` value: say so once it is 2 s old. */
  | { status: "connecting"; sinceMs: number }
  /** The browser is offline or the last attempts failed. `waiting` counts messages not sent yet, in all rooms. */
  | { status: "offline"; sinceMs: number; waiting: number; nextAttemptAtMs: number | null }
  /** The server refuses this client for good (its address is not allowed, or it does not understand us). */
  | { status: "refused"; problem: Problem };

/** A room in the sidebar or the switcher. */
export interface RoomSummary {
  id: RoomId;
  /** Empty for a direct room: show the peer. */
  name: string;
  topic: string;
  visibility: Visibility;
  /** The other person of a direct room; null in others, or while not known yet. */
  peer: User | null;
  role: Role;
  notify: Notify;
  /** How many people are in it. */
  members: number;
  /** Unread messages of others: exact up to 100, then 100 (show 99+). */
  unread: number;
  /** Unread messages that mention me or everybody. */
  mentions: number;
  lastMessage: Message | null;
  /** When something was last written, or the room was made. Sort key, newest first. */
  lastActivityAt: Timestamp;
  /** Whether this device holds a draft for it. */
  draft: boolean;
  /** Messages of mine that are not sent yet. */
  waiting: number;
}

/** A room that is open on the screen. */
export interface RoomView extends RoomSummary {
  createdBy: UserId;
  createdAt: Timestamp;
  moodEnabled: boolean;
  /** Until then I may not write, edit or react; null if not muted. */
  mutedUntil: Timestamp | null;
  head: Seq;
  readSeq: Seq;
  unreadFrom: Seq | null;
}

export type RoomState =
  /** The list of rooms is not known yet. */
  | { status: "loading" }
  | { status: "ready"; room: RoomView }
  /** I am not, or no longer, in such a room. */
  | { status: "absent" };

export interface RoomListView {
  /** `loading` only while neither this device nor the server has said anything. */
  status: "loading" | "ready";
  /** Newest activity first. */
  rooms: readonly RoomSummary[];
}

/** Unread over all rooms, for the title and the favicon. */
export interface UnreadTotal {
  unread: number;
  mentions: number;
}

export type ServiceEvent = MemberEvent | RoomEvent;

/** Why a message of mine is not in the room yet. */
export type OutboxState =
  /** On its way; show the clock. */
  | "sending"
  /** No connection, or the server asked to wait: sent by itself later. */
  | "waiting"
  /** The server has it for good; its number is still to come. Show it like any other message. */
  | "sent"
  /** The server said no: see `problem`. Stays until edited or deleted. */
  | "refused";

/** A message of mine that has no number yet. */
export interface OutboxEntry {
  id: MessageId;
  roomId: RoomId;
  body: string;
  replyTo: MessageId | null;
  attachments: readonly Attachment[];
  /** When it was written. */
  createdAt: Timestamp;
  state: OutboxState;
  /** Why it was refused, or what the last attempt met. */
  problem: { code: Problem["code"]; detail: string } | null;
}

/** A change of mine to a message that the server has not confirmed; the message is shown with it already. */
export type PendingChange = "edit" | "remove" | "reaction";

export type TimelineItem =
  | {
      kind: "message";
      /** The message's id; the same key that it had in the outbox, so that a row is kept when it gets its number. */
      key: string;
      seq: Seq;
      /** As it should be shown, with my unconfirmed changes applied. */
      message: Message;
      pendingChange: PendingChange | null;
    }
  | {
      kind: "service";
      key: string;
      /** The number of the first of the events. */
      seq: Seq;
      /** Consecutive events of one kind: `member` events with the same change are one item, to be folded into one line. */
      events: readonly [ServiceEvent, ...ServiceEvent[]];
    }
  | {
      kind: "hole";
      key: string;
      /** The device knows everything up to and with this number… */
      after: Seq;
      /** …and from this number on. */
      before: Seq;
      /** How many numbers lie between: at least as many as there are messages. */
      count: number;
      state: "idle" | "loading" | "failed";
    }
  | { kind: "pending"; key: string; entry: OutboxEntry };

/**
 * The rows of a room, in order. An array's reading half: a room of 100,000 messages is never copied to append one.
 * Unsent messages are last.
 */
export interface TimelineItems {
  readonly length: number;
  at(index: number): TimelineItem | undefined;
  /** The items from `start` up to but without `end`. */
  slice(start: number, end: number): readonly TimelineItem[];
  /** Where the item with that key is, or -1. */
  indexOfKey(key: string): number;
  /** The first item whose number is at least `seq` (holes count as their first missing number), or `length`. */
  indexOfSeq(seq: Seq): number;
}

/** One end of what is loaded. */
export type TimelineEdge =
  /** There is nothing beyond. */
  "end" | "more" | "loading" | "failed";

export interface Timeline {
  roomId: RoomId;
  /** `loading`: nothing to show yet. `failed`: nothing to show, and loading did not work: see `problem`. */
  status: "loading" | "ready" | "failed";
  problem: Problem | null;
  items: TimelineItems;
  /** Above the first item. */
  older: TimelineEdge;
  /** Below the last numbered item; `end` is what a person calls "at the bottom". */
  newer: TimelineEdge;
  /**
   * Where the "New" line goes: before the first message with at least this number. As it was when the room was opened
   * (or marked unread since); null if nothing was unread.
   */
  firstUnreadSeq: Seq | null;
  /** The highest number of the room that is known to exist. */
  head: Seq;
}

/** Where a person was in a room when they left it. */
export interface ScrollAnchor {
  /** The first row that was wholly visible. */
  seq: Seq;
  /** Its distance from the top of the view, in CSS pixels. */
  offsetPx: number;
}

export interface Draft {
  text: string;
  replyTo: MessageId | null;
}

/** What a room's details say about this device. */
export interface Completeness {
  /** This device has seen everything that happened up to this number. */
  upTo: Seq;
  /** The room's highest number. */
  head: Seq;
  /** The oldest number from which this device holds everything up to `upTo`, 1 being the whole room. */
  from: Seq;
  /** Holes between what is held. */
  holes: number;
}

export interface MemberListView {
  status: "loading" | "ready" | "failed";
  problem: Problem | null;
  /** Owners, moderators, members; each by name. */
  members: readonly Member[];
  /** Whether there are more to load. */
  more: boolean;
}

/** Somebody who is typing in a room, for 5 s after they last did. */
export type Typing = readonly User[];

export type { FoundUser };
