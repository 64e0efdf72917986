import type { RoomId, Seq, UserId } from "./ids";
import type {
  BrowsedRoom,
  Event,
  FoundUser,
  MemberRoom,
  Me,
  Member,
  Message,
  Role,
  Room,
  Timestamp,
  User,
} from "./model";

/** The answer to every call that signs in or renews. The refresh token comes as a cookie that no script can read. */
export interface SignedIn {
  user: Me;
  access_token: string;
  expires_at: Timestamp;
}

/** A page of a room's messages, ascending by number, as they are at `head`. */
export interface MessagePage {
  messages: Message[];
  head: Seq;
}

/** Every event after the position that was asked for, in order; `more` when the page was too small for all. */
export interface ChangePage {
  events: Event[];
  /** Numbers up to this one that have no event are void. Where it is left out, the head, or the last event of a full page. */
  through?: Seq | undefined;
  head: Seq;
  more: boolean;
}

/** Of what length the stretches of a room's mood are. */
export type MoodStep = "hour" | "day" | "week";

/** What the messages of one stretch of time sounded like; stretches without any are left out. */
export interface MoodBucket {
  /** When it begins. */
  at: Timestamp;
  positive: number;
  neutral: number;
  negative: number;
  /** Of all their scores, from -1 to 1. */
  mean: number;
  /** The messages behind it are among those from this number… */
  first_seq: Seq;
  /** …to this one. */
  last_seq: Seq;
}

/** The moods of a room over time, ascending. */
export interface MoodTimeline {
  buckets: MoodBucket[];
}

export interface RoomList {
  rooms: MemberRoom[];
}

export interface BrowsePage {
  rooms: BrowsedRoom[];
  next_cursor: string | null;
}

export interface UserPage {
  users: FoundUser[];
  next_cursor: string | null;
}

export interface MemberPage {
  members: Member[];
  next_cursor: string | null;
}

/** How far a person has read a room, and what that leaves unread. */
export interface ReadState {
  read_seq: Seq;
  unread_from: Seq | null;
  unread: number;
  mentions: number;
}

/** A device on which the person is signed in. */
export interface DeviceSession {
  id: string;
  created_at: Timestamp;
  last_used_at: Timestamp;
  user_agent: string;
  /** The one that asks. */
  current: boolean;
}

export interface Ban {
  user: User;
  reason: string;
  banned_at: Timestamp;
  by: User | null;
}

export interface Invite {
  code: string;
  url: string;
  /** Null is as often as people like. */
  max_uses: number | null;
  uses: number;
  expires_at: Timestamp | null;
  created_by: User | null;
  created_at: Timestamp;
}

/** What an invite link shows before it is accepted. */
export interface InvitePreview {
  code: string;
  room: { id: RoomId; name: string; topic: string; members: number };
  inviter: User;
}

export interface SearchHit {
  message: Message;
  room: Pick<Room, "id" | "name" | "visibility">;
  /** The body around the words found, which are between `<mark>` and `</mark>`. */
  highlight: string;
}

export interface SearchPage {
  hits: SearchHit[];
  next_cursor: string | null;
}

export interface CreateRoom {
  name: string;
  topic?: string | undefined;
  visibility: "public" | "private";
}

export interface ChangeRoom {
  name?: string | undefined;
  topic?: string | undefined;
  visibility?: "public" | "private" | undefined;
  mood_enabled?: boolean | undefined;
}

export interface ChangeMember {
  role?: Role | undefined;
  muted_until?: Timestamp | null | undefined;
}

export interface ChangeMe {
  display_name?: string | undefined;
  avatar_url?: string | null | undefined;
  status?: string | undefined;
}

export interface CreateInvite {
  max_uses?: number | undefined;
  expires_in_seconds?: number | undefined;
}

export interface CreateBan {
  user_id: UserId;
  reason?: string | undefined;
}

export interface SignUp {
  username: string;
  password: string;
  display_name?: string | undefined;
  email?: string | undefined;
}
