import * as v from "valibot";
import type { ServerFrame } from "./frames";
import type {
  Ban,
  BrowsePage,
  ChangePage,
  DeviceSession,
  Invite,
  InvitePreview,
  MemberPage,
  MessagePage,
  MoodTimeline,
  ReadState,
  RoomList,
  SearchPage,
  SignedIn,
  UserPage,
} from "./http";
import type { MessageId, RoomId, Seq, UserId } from "./ids";
import type {
  Attachment,
  Config,
  Event,
  Me,
  Member,
  MemberRoom,
  Message,
  Reaction,
  Room,
  RoomInfo,
  Sentiment,
  User,
} from "./model";
import { errorCodeOf, Problem, type ErrorCode } from "./problem";

/**
 * Bytes become types here and nowhere else. Unknown fields are dropped, since the protocol may add some; a field
 * that is missing where the protocol promises it is an error, unless a plain value says the same thing.
 */
type Schema<T> = v.GenericSchema<unknown, T>;

const roomId = v.pipe(
  v.string(),
  v.transform((text) => text as RoomId),
);
const userId = v.pipe(
  v.string(),
  v.transform((text) => text as UserId),
);
const messageId = v.pipe(
  v.string(),
  v.transform((text) => text as MessageId),
);
const seq = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
  v.transform((number) => number as Seq),
);

/** A value that may be null or left out; both mean null. */
function orNull<T>(schema: Schema<T>) {
  return v.optional(v.nullable(schema), null);
}

/** A list that may be null or left out; both mean empty. */
function list<T>(schema: Schema<T>) {
  return v.nullish(v.array(schema), () => []);
}

const userFields = {
  id: userId,
  username: v.string(),
  display_name: v.string(),
  avatar_url: orNull(v.string()),
};

export const user: Schema<User> = v.object(userFields);

export const me: Schema<Me> = v.object({
  ...userFields,
  status: v.optional(v.string(), ""),
  email: orNull(v.string()),
  admin: v.optional(v.boolean(), false),
  created_at: v.string(),
});

const reaction: Schema<Reaction> = v.object({
  emoji: v.string(),
  count: v.number(),
  me: v.optional(v.boolean()),
  user_ids: list(userId),
});

export const attachment: Schema<Attachment> = v.object({
  id: v.string(),
  name: v.optional(v.string(), ""),
  content_type: v.optional(v.string(), "application/octet-stream"),
  bytes: v.optional(v.number(), 0),
  width: orNull(v.number()),
  height: orNull(v.number()),
});

const sentiment: Schema<Sentiment> = v.object({
  label: v.picklist(["positive", "neutral", "negative"]),
  score: v.number(),
});

const messageFields = v.object({
  id: messageId,
  room_id: roomId,
  seq,
  changed_seq: orNull(seq),
  sender: user,
  body: v.string(),
  reply_to: orNull(messageId),
  created_at: v.string(),
  edited_at: orNull(v.string()),
  deleted_at: orNull(v.string()),
  reactions: list(reaction),
  attachments: list(attachment),
  sentiment: v.fallback(orNull(sentiment), null),
  mentions: list(userId),
  mentions_all: v.optional(v.boolean(), false),
});

/** A message that was never changed says null; it is as its own event made it. */
export const message: Schema<Message> = v.pipe(
  messageFields,
  v.transform((fields) => ({ ...fields, changed_seq: fields.changed_seq ?? fields.seq })),
);

const visibility = v.picklist(["public", "private", "direct"]);
const role = v.picklist(["owner", "moderator", "member"]);

const roomInfoFields = {
  id: roomId,
  name: v.string(),
  topic: v.string(),
  visibility,
  created_by: userId,
  created_at: v.string(),
  members: v.number(),
  mood_enabled: v.optional(v.boolean(), false),
};

const roomInfo: Schema<RoomInfo> = v.object(roomInfoFields);

const roomFields = { ...roomInfoFields, head: seq };

export const room: Schema<Room> = v.object(roomFields);

export const memberRoom: Schema<MemberRoom> = v.object({
  ...roomFields,
  role,
  joined_at: v.string(),
  muted_until: orNull(v.string()),
  read_seq: seq,
  unread_from: orNull(seq),
  unread: v.number(),
  mentions: v.number(),
  notify: v.picklist(["all", "mentions", "none"]),
  last_message: orNull(message),
  peer: orNull(user),
});

const member: Schema<Member> = v.object({
  user,
  role,
  joined_at: v.string(),
  muted_until: orNull(v.string()),
  online: v.optional(v.boolean()),
});

/** Who is banned may never have been a member: then there is neither a role nor a day. */
const memberChange = v.object({
  user,
  role: v.fallback(role, "member"),
  joined_at: orNull(v.string()),
  muted_until: orNull(v.string()),
  change: v.picklist(["joined", "left", "removed", "banned", "role", "muted", "unmuted"]),
});

const eventFields = { room_id: roomId, seq, at: v.string(), actor: orNull(user) };

const knownEvent = v.variant("kind", [
  v.object({
    ...eventFields,
    kind: v.picklist(["message", "edit", "delete", "reaction", "mood"]),
    message,
    reaction: v.optional(v.object({ emoji: v.string(), added: v.boolean() })),
  }),
  v.object({ ...eventFields, kind: v.literal("member"), member: memberChange }),
  v.object({
    ...eventFields,
    kind: v.literal("room"),
    change: v.fallback(v.picklist(["created", "changed", "mood_on", "mood_off"]), "changed"),
    room: roomInfo,
  }),
]);

/**
 * An event of a kind or shape that this client does not know keeps its number, so that the room's log has no gap
 * that no repair could ever fill.
 */
export const event: Schema<Event> = v.union([
  knownEvent,
  v.pipe(
    v.object(eventFields),
    v.transform((base) => ({ ...base, kind: "unknown" as const })),
  ),
]);

export const config: Schema<Config> = v.object({
  auth: v.object({
    provider: v.picklist(["local", "supabase"]),
    supabase_url: v.optional(v.string()),
    supabase_anon_key: v.optional(v.string()),
    signup: v.boolean(),
  }),
  limits: v.object({
    message_runes: v.number(),
    frame_bytes: v.number(),
    upload_bytes: v.number(),
    sends_per_second: v.number(),
    send_burst: v.number(),
  }),
  features: v.object({
    search: v.optional(v.boolean(), false),
    uploads: v.optional(v.boolean(), false),
    mood: v.optional(v.boolean(), false),
    match: v.optional(v.boolean(), false),
  }),
  version: v.string(),
});

const nextCursor = v.pipe(
  v.nullish(v.string(), ""),
  v.transform((cursor) => (cursor === "" ? null : cursor)),
);

export const signedIn: Schema<SignedIn> = v.object({
  user: me,
  access_token: v.string(),
  expires_at: v.string(),
});

export const messagePage: Schema<MessagePage> = v.object({ messages: list(message), head: seq });

export const moodTimeline: Schema<MoodTimeline> = v.object({
  buckets: list(
    v.object({
      at: v.string(),
      positive: v.number(),
      neutral: v.number(),
      negative: v.number(),
      mean: v.number(),
      first_seq: seq,
      last_seq: seq,
    }),
  ),
});

export const changePage: Schema<ChangePage> = v.object({
  events: list(event),
  through: v.optional(seq),
  head: seq,
  more: v.boolean(),
});

export const roomList: Schema<RoomList> = v.object({ rooms: list(memberRoom) });

export const browsePage: Schema<BrowsePage> = v.object({
  rooms: list(
    v.object({
      ...roomFields,
      joined: v.optional(v.boolean(), false),
      last_activity_at: orNull(v.string()),
    }),
  ),
  next_cursor: nextCursor,
});

export const userPage: Schema<UserPage> = v.object({
  users: list(
    v.object({ ...userFields, status: v.optional(v.string(), ""), online: v.optional(v.boolean(), false) }),
  ),
  next_cursor: nextCursor,
});

export const memberPage: Schema<MemberPage> = v.object({ members: list(member), next_cursor: nextCursor });

export const readState: Schema<ReadState> = v.object({
  read_seq: seq,
  unread_from: orNull(seq),
  unread: v.number(),
  mentions: v.optional(v.number(), 0),
});

export const sessions: Schema<{ sessions: DeviceSession[] }> = v.object({
  sessions: list(
    v.object({
      id: v.string(),
      created_at: v.string(),
      last_used_at: v.string(),
      user_agent: v.optional(v.string(), ""),
      current: v.optional(v.boolean(), false),
    }),
  ),
});

export const ban: Schema<Ban> = v.object({
  user,
  reason: v.optional(v.string(), ""),
  banned_at: v.string(),
  by: orNull(user),
});

export const bans: Schema<{ bans: Ban[] }> = v.object({ bans: list(ban) });

export const invite: Schema<Invite> = v.object({
  code: v.string(),
  url: v.string(),
  max_uses: orNull(v.number()),
  uses: v.optional(v.number(), 0),
  expires_at: orNull(v.string()),
  created_by: orNull(user),
  created_at: v.string(),
});

export const invites: Schema<{ invites: Invite[] }> = v.object({ invites: list(invite) });

export const invitePreview: Schema<InvitePreview> = v.object({
  code: v.string(),
  room: v.object({ id: roomId, name: v.string(), topic: v.string(), members: v.number() }),
  inviter: user,
});

export const searchPage: Schema<SearchPage> = v.object({
  hits: list(
    v.object({
      message,
      room: v.object({ id: roomId, name: v.string(), visibility }),
      highlight: v.optional(v.string(), ""),
    }),
  ),
  next_cursor: nextCursor,
});

const errorCode: Schema<ErrorCode> = v.pipe(v.string(), v.transform(errorCodeOf));

/** What an error answer says; every field may be missing, since a proxy in between may have answered. */
export const problemBody = v.object({
  code: v.optional(errorCode),
  detail: v.optional(v.string(), ""),
  title: v.optional(v.string(), ""),
  errors: list(v.object({ field: v.string(), message: v.string() })),
});

export const serverFrame: Schema<ServerFrame> = v.variant("type", [
  v.object({
    type: v.literal("ready"),
    user: me,
    rooms: list(memberRoom),
    heartbeat_seconds: v.pipe(v.number(), v.minValue(1)),
    connection_id: v.string(),
    users_online: list(userId),
  }),
  v.object({ type: v.literal("event"), event }),
  v.object({ type: v.literal("ack"), id: messageId, room_id: roomId, seq: v.optional(seq) }),
  v.object({
    type: v.literal("error"),
    id: v.optional(messageId),
    code: errorCode,
    detail: v.optional(v.string(), ""),
    retry_after_ms: v.optional(v.number()),
  }),
  v.object({ type: v.literal("reset"), room_id: roomId, head: seq }),
  v.object({ type: v.literal("typing"), room_id: roomId, user }),
  v.object({ type: v.literal("presence"), user_id: userId, online: v.boolean() }),
  v.object({
    type: v.literal("read"),
    room_id: roomId,
    read_seq: seq,
    unread_from: orNull(seq),
    unread: v.number(),
    mentions: v.optional(v.number(), 0),
  }),
  v.object({ type: v.literal("joined"), room: memberRoom }),
  v.object({
    type: v.literal("left"),
    room_id: roomId,
    reason: v.optional(v.picklist(["left", "removed", "banned", "deleted"]), "left"),
  }),
  v.object({ type: v.literal("matched"), room: memberRoom, with: user }),
  v.object({ type: v.literal("draining"), reconnect_in_ms: v.number() }),
  v.object({ type: v.literal("pong") }),
]);

/** Reads `input` by `schema`, or throws a {@link Problem} `unreadable` that names the first field at fault. */
export function decode<T>(schema: Schema<T>, input: unknown): T {
  const result = v.safeParse(schema, input, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new Problem("unreadable", `${v.getDotPath(issue) ?? "answer"}: ${issue.message}`);
}
