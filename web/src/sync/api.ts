import * as decoders from "../protocol/decode";
import type {
  Ban,
  BrowsePage,
  ChangeMember,
  ChangeRoom,
  CreateBan,
  CreateInvite,
  CreateRoom,
  DeviceSession,
  Invite,
  InvitePreview,
  MemberPage,
  MessagePage,
  MoodStep,
  MoodTimeline,
  SearchPage,
  UserPage,
} from "../protocol/http";
import type { RoomId, Seq, UserId } from "../protocol/ids";
import type { Attachment, MemberRoom, Room, Timestamp } from "../protocol/model";
import type { HttpClient } from "./http-client";

/** A search over messages; every part may be left out but the words. */
export interface SearchQuery {
  q: string;
  roomId?: RoomId | undefined;
  senderId?: UserId | undefined;
  /** The `next_cursor` of the page before. */
  before?: string | undefined;
  limit?: number | undefined;
}

/** A time of a room's mood: both ends are those of hours, days or weeks in the time zone, the last one not included. */
export interface MoodQuery {
  from: Timestamp;
  to: Timestamp;
  bucket: MoodStep;
  /** `Europe/Berlin`. */
  tz: string;
}

/**
 * Calls that change or ask something once and are not part of a room's log. Each rejects with a `Problem`. Rooms that
 * a call makes or joins are in the list of rooms when its promise resolves.
 */
export interface Api {
  /** Public rooms by name; null is the first page. */
  browseRooms(query: string, cursor: string | null, signal?: AbortSignal): Promise<BrowsePage>;
  createRoom(room: CreateRoom): Promise<Room>;
  changeRoom(roomId: RoomId, change: ChangeRoom): Promise<Room>;
  deleteRoom(roomId: RoomId): Promise<void>;
  joinRoom(roomId: RoomId): Promise<MemberRoom>;
  leaveRoom(roomId: RoomId): Promise<void>;
  /** The direct room with a person; the same pair always has the same one. */
  openDirect(userId: UserId): Promise<MemberRoom>;
  searchUsers(query: string, cursor: string | null, signal?: AbortSignal): Promise<UserPage>;
  /** A page of a room's members, not kept: for mentions and pickers. Lists on the screen use `useMembers`. */
  listMembers(roomId: RoomId, cursor: string | null, signal?: AbortSignal): Promise<MemberPage>;
  changeMember(roomId: RoomId, userId: UserId, change: ChangeMember): Promise<void>;
  removeMember(roomId: RoomId, userId: UserId): Promise<void>;
  listBans(roomId: RoomId): Promise<Ban[]>;
  ban(roomId: RoomId, ban: CreateBan): Promise<Ban>;
  unban(roomId: RoomId, userId: UserId): Promise<void>;
  listInvites(roomId: RoomId): Promise<Invite[]>;
  createInvite(roomId: RoomId, invite: CreateInvite): Promise<Invite>;
  deleteInvite(roomId: RoomId, code: string): Promise<void>;
  /** What an invite leads to; works signed out. */
  previewInvite(code: string): Promise<InvitePreview>;
  acceptInvite(code: string): Promise<MemberRoom>;
  listSessions(): Promise<DeviceSession[]>;
  endSession(id: string): Promise<void>;
  /** Signs out everywhere but here. */
  endOtherSessions(): Promise<void>;
  /** How a room sounded over time. What changes it is told by `Sync.onMoodChange`. */
  roomMood(roomId: RoomId, query: MoodQuery, signal?: AbortSignal): Promise<MoodTimeline>;
  /** The messages before a number, ascending, not kept: for lists beside the conversation. */
  listMessages(
    roomId: RoomId,
    query: { before: Seq; limit: number },
    signal?: AbortSignal,
  ): Promise<MessagePage>;
  search(query: SearchQuery, signal?: AbortSignal): Promise<SearchPage>;
  upload(file: Blob, name: string, signal?: AbortSignal): Promise<Attachment>;
  /** The bytes of an upload as an object URL, since the address itself needs the token. Revoke it when done. */
  uploadUrl(id: string, signal?: AbortSignal): Promise<string>;
  block(userId: UserId): Promise<void>;
  unblock(userId: UserId): Promise<void>;
  /** Joins or leaves the queue for a random conversation. */
  joinMatch(): Promise<void>;
  leaveMatch(): Promise<void>;
}

/** What of the engine the calls touch: rooms that come and go by an answer, before the socket tells of them. */
export interface ApiEffects {
  joined(room: MemberRoom): void;
  left(roomId: RoomId): void;
  blocked(userId: UserId, blocked: boolean): void;
}

/** The calls of PROTOCOL §2 by name. */
export function createApi(http: HttpClient, effects: ApiEffects): Api {
  const joined = async (room: Promise<MemberRoom>) => {
    const answer = await room;
    effects.joined(answer);
    return answer;
  };
  const roomPath = (roomId: RoomId) => `/rooms/${encodeURIComponent(roomId)}`;
  return {
    browseRooms: (query, cursor, signal) =>
      http.call(decoders.browsePage, "/rooms", { query: { query, cursor }, signal }),
    createRoom: (room) => joined(http.call(decoders.memberRoom, "/rooms", { method: "POST", body: room })),
    changeRoom: (roomId, change) =>
      http.call(decoders.room, roomPath(roomId), { method: "PATCH", body: change }),
    deleteRoom: async (roomId) => {
      await http.tell(roomPath(roomId), { method: "DELETE" });
      effects.left(roomId);
    },
    joinRoom: (roomId) =>
      joined(http.call(decoders.memberRoom, `${roomPath(roomId)}/join`, { method: "POST" })),
    leaveRoom: async (roomId) => {
      await http.tell(`${roomPath(roomId)}/leave`, { method: "POST" });
      effects.left(roomId);
    },
    openDirect: (userId) =>
      joined(http.call(decoders.memberRoom, "/dms", { method: "POST", body: { user_id: userId } })),
    searchUsers: (query, cursor, signal) =>
      http.call(decoders.userPage, "/users", { query: { query, cursor }, signal }),
    listMembers: (roomId, cursor, signal) =>
      http.call(decoders.memberPage, `${roomPath(roomId)}/members`, { query: { cursor }, signal }),
    changeMember: (roomId, userId, change) =>
      http.tell(`${roomPath(roomId)}/members/${encodeURIComponent(userId)}`, { method: "PUT", body: change }),
    removeMember: (roomId, userId) =>
      http.tell(`${roomPath(roomId)}/members/${encodeURIComponent(userId)}`, { method: "DELETE" }),
    listBans: async (roomId) => (await http.call(decoders.bans, `${roomPath(roomId)}/bans`)).bans,
    ban: (roomId, ban) => http.call(decoders.ban, `${roomPath(roomId)}/bans`, { method: "POST", body: ban }),
    unban: (roomId, userId) =>
      http.tell(`${roomPath(roomId)}/bans/${encodeURIComponent(userId)}`, { method: "DELETE" }),
    listInvites: async (roomId) => (await http.call(decoders.invites, `${roomPath(roomId)}/invites`)).invites,
    createInvite: (roomId, invite) =>
      http.call(decoders.invite, `${roomPath(roomId)}/invites`, { method: "POST", body: invite }),
    deleteInvite: (roomId, code) =>
      http.tell(`${roomPath(roomId)}/invites/${encodeURIComponent(code)}`, { method: "DELETE" }),
    previewInvite: (code) =>
      http.call(decoders.invitePreview, `/invites/${encodeURIComponent(code)}`, { anonymous: true }),
    acceptInvite: (code) =>
      joined(
        http.call(decoders.memberRoom, `/invites/${encodeURIComponent(code)}/accept`, { method: "POST" }),
      ),
    listSessions: async () => (await http.call(decoders.sessions, "/me/sessions")).sessions,
    endSession: (id) => http.tell(`/me/sessions/${encodeURIComponent(id)}`, { method: "DELETE" }),
    endOtherSessions: () => http.tell("/me/sessions", { method: "DELETE" }),
    roomMood: (roomId, query, signal) =>
      http.call(decoders.moodTimeline, `${roomPath(roomId)}/mood`, { query: { ...query }, signal }),
    listMessages: (roomId, query, signal) =>
      http.call(decoders.messagePage, `${roomPath(roomId)}/messages`, { query, signal }),
    search: (query, signal) =>
      http.call(decoders.searchPage, "/search", {
        query: {
          q: query.q,
          room_id: query.roomId,
          sender_id: query.senderId,
          before: query.before,
          limit: query.limit,
        },
        signal,
      }),
    upload: async (file, name, signal) => {
      const form = new FormData();
      form.append("file", file, name);
      return http.call(decoders.attachment, "/uploads", { method: "POST", body: form, signal });
    },
    uploadUrl: async (id, signal) => {
      const response = await http.request(`/uploads/${encodeURIComponent(id)}`, { signal });
      return URL.createObjectURL(await response.blob());
    },
    block: async (userId) => {
      await http.tell(`/blocks/${encodeURIComponent(userId)}`, { method: "PUT" });
      effects.blocked(userId, true);
    },
    unblock: async (userId) => {
      await http.tell(`/blocks/${encodeURIComponent(userId)}`, { method: "DELETE" });
      effects.blocked(userId, false);
    },
    joinMatch: () => http.tell("/matches", { method: "POST" }),
    leaveMatch: () => http.tell("/matches", { method: "DELETE" }),
  };
}
