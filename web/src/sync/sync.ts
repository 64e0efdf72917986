import type { MessageId, RoomId, Seq, UserId } from "../protocol/ids";
import type { Attachment, Me, Message, Notify, User } from "../protocol/model";
import type { SignUp } from "../protocol/http";
import type { Api } from "./api";
import type {
  Completeness,
  ConfigView,
  Connection,
  Draft,
  MemberListView,
  OutboxEntry,
  RoomListView,
  RoomState,
  ScrollAnchor,
  Session,
  Timeline,
  Typing,
  UnreadTotal,
} from "./views";

/** Signing in and out. Every promise rejects with a `Problem` that says why. */
export interface SessionActions {
  /** `username` is an e-mail address where sign-in is by Supabase. */
  signIn(username: string, password: string): Promise<void>;
  /** `confirm-email`: the account is made, and can be signed in to once the link in a mail was followed. */
  signUp(account: SignUp): Promise<"signed-in" | "confirm-email">;
  /** Ends the session and deletes everything this device holds of the person, also when the server is not reached. */
  signOut(): Promise<void>;
  /** All other sessions of the person end. */
  changePassword(currentPassword: string, newPassword: string): Promise<void>;
  /** Changes the profile and shows the new one at once when the server has it. */
  changeMe(change: {
    display_name?: string | undefined;
    avatar_url?: string | null | undefined;
    status?: string | undefined;
  }): Promise<Me>;
}

/** What a person writes. All of it is shown in the same frame and kept on the device until the server has it. */
export interface SendActions {
  /** Puts a message into the outbox and returns its id. Never fails: what goes wrong later is told by the outbox entry. */
  send(
    roomId: RoomId,
    message: { body: string; replyTo?: MessageId | null; attachments?: readonly Attachment[] },
  ): MessageId;
  /** Tries everything that waits in the room at once. */
  sendNow(roomId: RoomId): void;
  /** Takes a message out of the outbox, unless the server has it already. */
  discard(id: MessageId): void;
  /** Takes a refused message out of the outbox and returns its text, to be put back into the composer. */
  takeBack(id: MessageId): Draft | null;
  /** Tells the others that I type; call it on every key, it is sent every 3 s at most. */
  typing(roomId: RoomId): void;
  /** Keeps the draft on this device; an empty text deletes it. */
  setDraft(roomId: RoomId, draft: Draft): void;
}

/** Changes to messages: shown at once, undone if the server refuses, which the promise then tells. */
export interface MessageActions {
  edit(roomId: RoomId, id: MessageId, body: string): Promise<void>;
  remove(roomId: RoomId, id: MessageId): Promise<void>;
  react(roomId: RoomId, id: MessageId, emoji: string): Promise<void>;
  unreact(roomId: RoomId, id: MessageId, emoji: string): Promise<void>;
}

/** Moving through a room's history. Calls while the same load is under way return its promise. */
export interface TimelineActions {
  /**
   * Keeps the room's timeline in memory and up to date until the returned function is called. It is drawn from the
   * device first, then filled from the server. `useTimeline` does this.
   */
  open(roomId: RoomId): () => void;
  loadOlder(roomId: RoomId): Promise<void>;
  loadNewer(roomId: RoomId): Promise<void>;
  /** Loads the messages around a number, for a jump; resolves when they are among the items. */
  loadAround(roomId: RoomId, seq: Seq): Promise<void>;
  /** Loads the newest messages, for a jump to the bottom. */
  loadLatest(roomId: RoomId): Promise<void>;
  /** Fills a hole from one of its ends, a page a call; `after` continues the rows above it, `before` the rows below. */
  loadHole(roomId: RoomId, hole: { after: Seq; before: Seq }, from: "after" | "before"): Promise<void>;
  /** Where the person left the room on this device; null: open at the first unread message or the bottom. */
  scrollAnchor(roomId: RoomId): ScrollAnchor | null;
  setScrollAnchor(roomId: RoomId, anchor: ScrollAnchor | null): void;
  /** The number of a message that this device holds, for jumping to what a reply quotes. */
  seqOf(roomId: RoomId, id: MessageId): Seq | null;
}

/** How far I have read, and what a room may say to me. */
export interface ReadActions {
  /**
   * I have seen everything up to `seq`. Counts here at once, told to the server at most once a second. Without effect
   * after `markUnreadFrom`, until the room is opened again: what is marked unread is not read by staying.
   */
  markRead(roomId: RoomId, seq: Seq): void;
  /** From this message on, all is unread again. */
  markUnreadFrom(roomId: RoomId, seq: Seq): Promise<void>;
  setNotify(roomId: RoomId, notify: Notify): Promise<void>;
}

/** Selectors: each returns the same value until it changes. `subscribe` tells when any may have. */
export interface Views {
  readonly subscribe: (changed: () => void) => () => void;
  session(): Session;
  config(): ConfigView;
  connection(): Connection;
  rooms(): RoomListView;
  room(roomId: RoomId): RoomState;
  unreadTotal(): UnreadTotal;
  timeline(roomId: RoomId): Timeline;
  outbox(roomId: RoomId): readonly OutboxEntry[];
  draft(roomId: RoomId): Draft;
  typing(roomId: RoomId): Typing;
  online(userId: UserId): boolean;
  members(roomId: RoomId): MemberListView;
  completeness(roomId: RoomId): Completeness;
  /** Whether I have blocked this person in this session of the app. */
  blocked(userId: UserId): boolean;
}

/**
 * A new message of somebody else that arrived live, for sounds, titles and notifications. Of all pages of a browser one
 * is told, and never twice.
 */
export interface Arrival {
  roomId: RoomId;
  seq: Seq;
  sender: User;
  body: string;
  /** Whether it mentions me or everybody. */
  mentionsMe: boolean;
}

/** Moods of a room's messages came, changed or went. */
export interface MoodChange {
  roomId: RoomId;
  /** The messages as they are now; null where so much was missed that anything may be another. */
  messages: readonly Message[] | null;
}

/** The whole engine behind the screens: one for a page. */
export interface Sync {
  readonly views: Views;
  readonly api: Api;
  readonly session: SessionActions;
  readonly messages: SendActions & MessageActions;
  readonly timeline: TimelineActions;
  readonly read: ReadActions;
  /** Connects at once instead of at the next attempt. */
  retryNow(): void;
  /** Loads the next page of a room's members; the first one is loaded by `useMembers`. */
  loadMembers(roomId: RoomId): Promise<void>;
  /** Tells of live messages of others as they arrive. */
  onArrival(listener: (arrival: Arrival) => void): () => void;
  /** Tells of moods as they come, and as an edit or a deletion takes them away. */
  onMoodChange(listener: (change: MoodChange) => void): () => void;
  /** Tells that a random conversation was found; its room is in the list of rooms already. */
  onMatch(listener: (roomId: RoomId, peer: User) => void): () => void;
  /** Begins: restores the session from the device and the server, then connects. */
  start(): void;
  /** Ends timers, socket and database connections; the device keeps everything. */
  stop(): Promise<void>;
}
