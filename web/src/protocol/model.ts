import type { MessageId, RoomId, Seq, UserId } from "./ids";

/** A moment in RFC 3339, UTC, with milliseconds: `2026-11-23T09:12:00.000Z`. */
export type Timestamp = string;

/** A person as others see them. */
export interface User {
  id: UserId;
  username: string;
  display_name: string;
  avatar_url: string | null;
}

/** The person who is signed in. */
export interface Me extends User {
  /** What they say they are doing, at most 100 characters; empty is nothing. */
  status: string;
  email: string | null;
  admin: boolean;
  created_at: Timestamp;
}

/** A person found by search. */
export interface FoundUser extends User {
  status: string;
  online: boolean;
}

export type Visibility = "public" | "private" | "direct";

/** What a member may do: an owner everything, a moderator all but deleting the room and changing owners. */
export type Role = "owner" | "moderator" | "member";

/** What of a room makes a sound or a badge. */
export type Notify = "all" | "mentions" | "none";

/** What an event of kind `room` carries of its room. */
export interface RoomInfo {
  id: RoomId;
  name: string;
  topic: string;
  visibility: Visibility;
  created_by: UserId;
  created_at: Timestamp;
  /** How many people are in it. */
  members: number;
  mood_enabled: boolean;
}

/** A room as anybody who may see it sees it. */
export interface Room extends RoomInfo {
  /** The highest number of its log at the moment of the answer. */
  head: Seq;
}

/** A public room in the list to browse. */
export interface BrowsedRoom extends Room {
  joined: boolean;
  last_activity_at: Timestamp | null;
}

/** A room as one of its members sees it. */
export interface MemberRoom extends Room {
  role: Role;
  joined_at: Timestamp;
  /** Until then my messages, edits and reactions are refused. */
  muted_until: Timestamp | null;
  /** Read up to this number; never moves back. */
  read_seq: Seq;
  /** Set where the person marked a message unread: everything from this number counts as unread. */
  unread_from: Seq | null;
  /** Messages of others that are unread: exact up to 100, then 100. */
  unread: number;
  /** Unread messages that mention this person or everybody. */
  mentions: number;
  notify: Notify;
  last_message: Message | null;
  /** In a direct room, the other person. */
  peer: User | null;
}

export interface Reaction {
  emoji: string;
  count: number;
  /** Whether I reacted so. Live events are encoded once for all receivers and leave it out. */
  me?: boolean | undefined;
  /** The first 100 who did. */
  user_ids: UserId[];
}

export interface Attachment {
  id: string;
  name: string;
  content_type: string;
  bytes: number;
  width: number | null;
  height: number | null;
}

export interface Sentiment {
  label: "positive" | "neutral" | "negative";
  /** From -1, bad, to 1, good. */
  score: number;
}

export interface Message {
  id: MessageId;
  room_id: RoomId;
  /** Its place in the room for life. */
  seq: Seq;
  /** The number of the event that last changed it; equal to `seq` until something does. */
  changed_seq: Seq;
  sender: User;
  /** Markdown as written; empty once deleted. */
  body: string;
  reply_to: MessageId | null;
  created_at: Timestamp;
  edited_at: Timestamp | null;
  deleted_at: Timestamp | null;
  reactions: Reaction[];
  attachments: Attachment[];
  sentiment: Sentiment | null;
  /** Who was named with `@username`, resolved when it was sent. */
  mentions: UserId[];
  /** Whether `@all` named everybody. */
  mentions_all: boolean;
}

/** A person in a room. */
export interface Member {
  user: User;
  role: Role;
  joined_at: Timestamp;
  /** Until then their messages, edits and reactions are refused. */
  muted_until: Timestamp | null;
  /** Only in lists; events leave it out. */
  online?: boolean | undefined;
}

export type MembershipChange = "joined" | "left" | "removed" | "banned" | "role" | "muted" | "unmuted";

/** A member after a change of their membership. */
export interface MemberChange extends Omit<Member, "joined_at"> {
  /** Null of somebody who was banned without ever having been a member. */
  joined_at: Timestamp | null;
  change: MembershipChange;
}

interface EventBase {
  room_id: RoomId;
  seq: Seq;
  at: Timestamp;
  /** Who caused it; null for the server itself. */
  actor: User | null;
}

/** Something that happened to a message. It carries the whole message as it is afterwards, so a client only replaces. */
export interface MessageEvent extends EventBase {
  kind: "message" | "edit" | "delete" | "reaction" | "mood";
  message: Message;
  /** On kind `reaction`: which one, and whether it was added. */
  reaction?: { emoji: string; added: boolean } | undefined;
}

export interface MemberEvent extends EventBase {
  kind: "member";
  member: MemberChange;
}

export interface RoomEvent extends EventBase {
  kind: "room";
  change: "created" | "changed" | "mood_on" | "mood_off";
  room: RoomInfo;
}

/** A kind that this client does not know yet. It takes a number like any other and shows nothing. */
export interface UnknownEvent extends EventBase {
  kind: "unknown";
}

export type Event = MessageEvent | MemberEvent | RoomEvent | UnknownEvent;

/** What the server offers and allows; a limit of 0 is none. */
export interface Config {
  auth: {
    provider: "local" | "supabase";
    supabase_url?: string | undefined;
    supabase_anon_key?: string | undefined;
    /** Whether newcomers may make an account. */
    signup: boolean;
  };
  limits: {
    message_runes: number;
    frame_bytes: number;
    upload_bytes: number;
    sends_per_second: number;
    send_burst: number;
  };
  features: { search: boolean; uploads: boolean; mood: boolean; match: boolean };
  version: string;
}
