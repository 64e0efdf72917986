import type { MessageId, RoomId, Seq, UserId } from "./ids";
import type { Event, Me, MemberRoom, User } from "./model";
import type { ErrorCode } from "./problem";

/** What a client says over the socket. */
export type ClientFrame =
  | {
      type: "auth";
      token: string;
      /** For every room named, the server first sends the events after that number, then live ones. */
      positions?: Record<RoomId, Seq>;
    }
  | {
      type: "send";
      room_id: RoomId;
      id: MessageId;
      body: string;
      reply_to?: MessageId;
      attachment_ids?: string[];
      /** On every attempt after the first, so that the server looks the id up before it numbers anything. */
      resend?: true;
    }
  | { type: "typing"; room_id: RoomId }
  | { type: "read"; room_id: RoomId; seq: Seq }
  | { type: "ping" };

/** What the server says over the socket. */
export type ServerFrame =
  | {
      type: "ready";
      user: Me;
      rooms: MemberRoom[];
      heartbeat_seconds: number;
      connection_id: string;
      /** People who share a room with me and are connected, at most 1,000. */
      users_online: UserId[];
    }
  | { type: "event"; event: Event }
  | { type: "ack"; id: MessageId; room_id: RoomId; seq?: Seq | undefined }
  | {
      type: "error";
      id?: MessageId | undefined;
      code: ErrorCode;
      detail: string;
      retry_after_ms?: number | undefined;
    }
  | { type: "reset"; room_id: RoomId; head: Seq }
  | { type: "typing"; room_id: RoomId; user: User }
  | { type: "presence"; user_id: UserId; online: boolean }
  | {
      type: "read";
      room_id: RoomId;
      read_seq: Seq;
      unread_from: Seq | null;
      unread: number;
      mentions: number;
    }
  | { type: "joined"; room: MemberRoom }
  | { type: "left"; room_id: RoomId; reason: LeaveReason }
  | { type: "matched"; room: MemberRoom; with: User }
  | { type: "draining"; reconnect_in_ms: number }
  | { type: "pong" };

export type LeaveReason = "left" | "removed" | "banned" | "deleted";

/** What a client does about a closed socket. */
export type AfterClose =
  /** Connect again with backoff and positions. */
  | "reconnect"
  /** Renew the access token first. */
  | "renew"
  /** Trying again cannot help: say so. */
  | "give-up";

/** The codes of PROTOCOL §3 and what each asks for. Any code that is not here means the network: reconnect. */
export const closeCodes: Readonly<Record<number, { name: string; then: AfterClose }>> = {
  4400: { name: "bad_frame", then: "give-up" },
  4401: { name: "unauthenticated", then: "renew" },
  4403: { name: "origin", then: "give-up" },
  4408: { name: "auth_timeout", then: "reconnect" },
  4409: { name: "too_many_connections", then: "reconnect" },
  4410: { name: "slow_consumer", then: "reconnect" },
  4413: { name: "frame_too_large", then: "reconnect" },
  4429: { name: "rate_abuse", then: "reconnect" },
  4503: { name: "draining", then: "reconnect" },
};
