import type { ClientFrame, LeaveReason, ServerFrame } from "../protocol/frames";
import type { SignedIn } from "../protocol/http";
import type { MessageId, RoomId, Seq, UserId } from "../protocol/ids";
import type { Config, Event, FoundUser, Me, MemberRoom, Message, User } from "../protocol/model";
import type { ErrorCode } from "../protocol/problem";
import type { FakeClock } from "./fake-clock";
import { FakeRoom } from "./fake-room";
import { FakeConnection } from "./fake-connection";

export interface Account {
  me: Me;
  password: string;
}

interface AccessToken {
  userId: UserId;
  session: string;
  endsAtMs: number;
}

/** Why the server says no. */
export interface Refusal {
  code: ErrorCode;
  detail: string;
  retry_after_ms?: number;
}

/** How long an access token lives here, in milliseconds. */
export const tokenLifeMs = 15 * 60_000;

/** Over this many missed events the server says `reset` instead of sending them. */
const catchUpMax = 1_000;

export const fakeConfig: Config = {
  auth: { provider: "local", signup: true },
  limits: {
    message_runes: 4_000,
    frame_bytes: 65_536,
    upload_bytes: 10_000_000,
    sends_per_second: 10,
    send_burst: 20,
  },
  features: { search: true, uploads: true, mood: false, match: true },
  version: "test",
};

/**
 * A server in memory that speaks the protocol: accounts, rooms, sockets. HTTP is in {@link FakeHttp}. It is deterministic:
 * it acts only when it is spoken to, or told by a test.
 */
export class FakeServer {
  config: Config = fakeConfig;
  readonly accounts = new Map<UserId, Account>();
  readonly rooms = new Map<RoomId, FakeRoom>();
  readonly invites = new Map<string, { roomId: RoomId; inviter: User }>();
  readonly tokens = new Map<string, AccessToken>();
  /** Refresh tokens that are good, and whose session they are. */
  readonly refreshTokens = new Map<string, { userId: UserId; session: string }>();
  readonly connections = new Set<FakeConnection>();
  /** Every `send` that arrived, in order, repeats too. */
  readonly sends: Extract<ClientFrame, { type: "send" }>[] = [];
  /** Every frame that arrived but sends and pings. */
  readonly heard: ClientFrame[] = [];
  /** Whether the network is there at all. */
  reachable = true;
  /** Whether pings are answered; a dead line answers nothing. */
  answersPings = true;
  /** Says no to a send, or null to take it. */
  refuseSend: (frame: Extract<ClientFrame, { type: "send" }>) => Refusal | null = () => null;
  /** Whether acks name the number, as a server alone on one machine does. */
  acksWithSeq = true;
  /** Swallows a frame on its way to a client. */
  loses: (frame: ServerFrame) => boolean = () => false;
  private lastId = 0;

  constructor(readonly clock: FakeClock) {}

  /** Makes an account; its password is its name twice. */
  addUser(name: string): Me {
    const id = `user-${name}` as UserId;
    const me: Me = {
      id,
      username: name,
      display_name: name[0]!.toUpperCase() + name.slice(1),
      avatar_url: null,
      status: "",
      email: null,
      admin: false,
      created_at: new Date(this.clock.now()).toISOString(),
    };
    this.accounts.set(id, { me, password: name + name });
    return me;
  }

  userOf(userId: UserId): User {
    const { id, username, display_name, avatar_url } = this.accounts.get(userId)!.me;
    return { id, username, display_name, avatar_url };
  }

  foundUser(userId: UserId): FoundUser {
    return {
      ...this.userOf(userId),
      status: this.accounts.get(userId)!.me.status,
      online: this.isOnline(userId),
    };
  }

  isOnline(userId: UserId): boolean {
    return [...this.connections].some((connection) => connection.userId === userId);
  }

  addRoom(
    name: string,
    members: readonly User[],
    visibility: FakeRoom["info"]["visibility"] = "public",
  ): FakeRoom {
    const owner = members[0]!;
    const room = new FakeRoom(
      {
        id: this.newId("room") as RoomId,
        name,
        topic: "",
        visibility,
        created_by: owner.id,
        created_at: new Date(this.clock.now()).toISOString(),
        members: 0,
        mood_enabled: this.config.features.mood && visibility === "public",
      },
      () => new Date(this.clock.now()).toISOString(),
    );
    this.rooms.set(room.id, room);
    room.created(this.userOf(owner.id));
    members.forEach((member, i) => {
      room.member(this.userOf(member.id), this.userOf(member.id), "joined", i === 0 ? { role: "owner" } : {});
    });
    return room;
  }

  newId(prefix: string): string {
    return `${prefix}-${++this.lastId}`;
  }

  /** Signs somebody in: an access token, and a refresh token for the browser's cookie. */
  signIn(userId: UserId, session = this.newId("session")): { answer: SignedIn; refreshToken: string } {
    const token = this.newId("token");
    const endsAtMs = this.clock.now() + tokenLifeMs;
    this.tokens.set(token, { userId, session, endsAtMs });
    const refreshToken = this.newId("refresh");
    this.refreshTokens.set(refreshToken, { userId, session });
    return {
      answer: {
        user: this.accounts.get(userId)!.me,
        access_token: token,
        expires_at: new Date(endsAtMs).toISOString(),
      },
      refreshToken,
    };
  }

  /** Spends a refresh token; null if it is not good. */
  refresh(refreshToken: string | null): { answer: SignedIn; refreshToken: string } | null {
    const held = refreshToken === null ? undefined : this.refreshTokens.get(refreshToken);
    if (refreshToken === null || held === undefined) return null;
    this.refreshTokens.delete(refreshToken);
    return this.signIn(held.userId, held.session);
  }

  /** Ends a person's sessions: no token is good any more, and every socket closes. */
  endSessions(userId: UserId): void {
    for (const [token, held] of this.tokens) if (held.userId === userId) this.tokens.delete(token);
    for (const [token, held] of this.refreshTokens) {
      if (held.userId === userId) this.refreshTokens.delete(token);
    }
    for (const connection of [...this.connections]) if (connection.userId === userId) connection.close(4401);
  }

  /** Whose token that is, if it is good now. */
  ownerOf(token: string | null): UserId | null {
    const held = token === null ? undefined : this.tokens.get(token);
    return held !== undefined && held.endsAtMs > this.clock.now() ? held.userId : null;
  }

  roomsOf(userId: UserId): MemberRoom[] {
    return [...this.rooms.values()]
      .filter((room) => room.members.has(userId))
      .map((room) => room.asMemberRoom(userId));
  }

  /** Sends an event to every connected member, as one encoding for all. */
  publish(event: Event): void {
    const room = this.rooms.get(event.room_id)!;
    for (const connection of this.connections) {
      if (connection.userId !== null && room.members.has(connection.userId)) {
        connection.deliverEvent(room.id, event);
      }
    }
  }

  /** Somebody writes, over another connection. */
  say(room: FakeRoom, sender: User, body: string, fields: Partial<Message> = {}): Message {
    const id = this.newId("message") as MessageId;
    const event = room.message(this.userOf(sender.id), id, { body, ...fields });
    this.publish(event);
    return event.message;
  }

  tell(userId: UserId, frame: ServerFrame): void {
    for (const connection of this.connections) if (connection.userId === userId) connection.deliver(frame);
  }

  join(room: FakeRoom, userId: UserId): void {
    if (room.members.has(userId)) return;
    const user = this.userOf(userId);
    this.publish(room.member(user, user, "joined"));
    this.tell(userId, { type: "joined", room: room.asMemberRoom(userId) });
  }

  leave(room: FakeRoom, userId: UserId, reason: LeaveReason): void {
    const user = this.userOf(userId);
    const change = reason === "deleted" ? "left" : reason;
    const event = room.member(user, user, change);
    this.tell(userId, { type: "left", room_id: room.id, reason });
    this.publish(event);
  }

  /** A client of the server opens a socket. */
  connect(deliver: (data: string) => void, closed: (code: number) => void): FakeConnection {
    return new FakeConnection(this, deliver, closed);
  }

  /** Every socket is gone, with a code or as a cut line. */
  cut(code = 1006): void {
    for (const connection of [...this.connections]) connection.close(code);
  }

  drain(inMs: number): void {
    for (const connection of this.connections)
      connection.deliver({ type: "draining", reconnect_in_ms: inMs });
  }

  hear(connection: FakeConnection, frame: ClientFrame): void {
    if (frame.type === "ping") {
      if (this.answersPings) connection.deliver({ type: "pong" });
      return;
    }
    if (frame.type === "send") {
      this.receiveSend(connection, frame);
      return;
    }
    this.heard.push(frame);
    if (frame.type === "auth") this.authenticate(connection, frame);
    else if (frame.type === "read") this.markRead(connection.userId!, frame.room_id, { seq: frame.seq });
    else this.broadcastTyping(connection, frame.room_id);
  }

  /** PROTOCOL §2, `PUT …/read`; the person's connections hear of it. */
  markRead(userId: UserId, roomId: RoomId, mark: { seq?: Seq; unread_from?: Seq }) {
    const room = this.rooms.get(roomId)!;
    const held = room.mark(userId);
    room.marks.set(userId, {
      read_seq: Math.min(Math.max(held.read_seq, mark.seq ?? 0), room.head) as Seq,
      unread_from: mark.unread_from ?? null,
    });
    const read = { ...room.mark(userId), ...room.unread(userId) };
    this.tell(userId, { type: "read", room_id: roomId, ...read });
    return read;
  }

  private authenticate(connection: FakeConnection, frame: Extract<ClientFrame, { type: "auth" }>): void {
    const userId = this.ownerOf(frame.token);
    if (userId === null) {
      connection.close(4401);
      return;
    }
    const renewed = connection.userId !== null;
    connection.userId = userId;
    if (renewed) return;
    this.connections.add(connection);
    for (const [roomId, position] of Object.entries(frame.positions ?? {})) {
      const room = this.rooms.get(roomId as RoomId);
      if (!room?.members.has(userId)) continue;
      if (room.head - position > catchUpMax) {
        connection.deliver({ type: "reset", room_id: room.id, head: room.head });
      } else {
        for (const event of room.events) if (event.seq > position) connection.deliverEvent(room.id, event);
      }
    }
    connection.deliver({
      type: "ready",
      user: this.accounts.get(userId)!.me,
      rooms: this.roomsOf(userId),
      heartbeat_seconds: 25,
      connection_id: this.newId("connection"),
      users_online: [...this.accounts.keys()].filter((id) => this.isOnline(id)),
    });
  }

  private receiveSend(connection: FakeConnection, frame: Extract<ClientFrame, { type: "send" }>): void {
    this.sends.push(frame);
    const refusal = this.refuseSend(frame) ?? this.ruleAgainst(connection.userId!, frame);
    if (refusal !== null) {
      connection.deliver({ type: "error", id: frame.id, ...refusal });
      return;
    }
    const room = this.rooms.get(frame.room_id)!;
    const message = this.accept(room, connection.userId!, frame);
    connection.deliver({
      type: "ack",
      id: frame.id,
      room_id: room.id,
      ...(this.acksWithSeq ? { seq: message.seq } : {}),
    });
  }

  /** A message by its id: numbered once, however often it comes. */
  accept(
    room: FakeRoom,
    senderId: UserId,
    sent: { id: MessageId; body: string; reply_to?: MessageId | undefined },
  ): Message {
    const held = room.messageOfId(sent.id);
    if (held !== undefined) return held;
    const mentions = [...sent.body.matchAll(/@([\w.-]+)/g)].flatMap(([, name]) =>
      [...this.accounts.values()].filter(({ me }) => me.username === name).map(({ me }) => me.id),
    );
    const event = room.message(this.userOf(senderId), sent.id, {
      body: sent.body,
      reply_to: sent.reply_to ?? null,
      mentions,
      mentions_all: sent.body.includes("@all"),
    });
    this.publish(event);
    return event.message;
  }

  private ruleAgainst(userId: UserId, frame: Extract<ClientFrame, { type: "send" }>): Refusal | null {
    const room = this.rooms.get(frame.room_id);
    if (!room?.members.has(userId)) return { code: "not_member", detail: "You are not in this room." };
    const held = room.messageOfId(frame.id);
    if (held !== undefined && held.body !== frame.body && held.edited_at === null) {
      return { code: "conflict", detail: "This id belongs to another message." };
    }
    return null;
  }

  private broadcastTyping(connection: FakeConnection, roomId: RoomId): void {
    const room = this.rooms.get(roomId);
    if (!room || connection.userId === null) return;
    for (const other of this.connections) {
      if (other === connection || other.userId === null || !room.members.has(other.userId)) continue;
      other.deliver({ type: "typing", room_id: roomId, user: this.userOf(connection.userId) });
    }
  }
}
