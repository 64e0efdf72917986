import type { MessageId, RoomId, Seq, UserId } from "../protocol/ids";
import type { Message, User } from "../protocol/model";
import type { ErrorCode } from "../protocol/problem";
import { withMyReactions } from "../sync/messages";
import type { FakeRoom } from "./fake-room";
import type { FakeServer } from "./fake-server";

const statusOf: Partial<Record<ErrorCode, number>> = {
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  not_member: 403,
  banned: 403,
  conflict: 409,
  username_taken: 409,
  invalid: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};

class Refused extends Error {
  constructor(
    readonly code: ErrorCode,
    readonly detail = code as string,
    readonly errors: { field: string; message: string }[] = [],
  ) {
    super(detail);
  }
}

interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  /** Who asks; throws if nobody does. */
  who: () => UserId;
  /** The browser's cookie jar. */
  jar: CookieJar;
}

/** The cookie that no script sees. */
export interface CookieJar {
  refreshToken: string | null;
}

type Handler = (call: Call, ...parts: string[]) => unknown;

/** Answers that wait to be let go, so that tests choose what overtakes what. */
export interface HeldAnswers {
  /** How many wait now. */
  readonly waiting: number;
  /** Lets all go that wait, and holds no more. */
  release(): void;
}

/** The HTTP half of the {@link FakeServer}: the calls of PROTOCOL §2. */
export class FakeHttp {
  /** Every call that arrived: `GET /rooms/room-1/messages?limit=50`. */
  readonly calls: string[] = [];
  /** Makes calls that match answer with that code instead. */
  readonly failures: { pattern: RegExp; code: ErrorCode }[] = [];
  private readonly holds: { pattern: RegExp; waiting: (() => void)[] }[] = [];

  constructor(private readonly server: FakeServer) {}

  /** Calls that match are carried out at once, and answered on release: a slow way back. */
  hold(pattern: RegExp): HeldAnswers {
    const hold = { pattern, waiting: [] as (() => void)[] };
    this.holds.push(hold);
    return {
      get waiting() {
        return hold.waiting.length;
      },
      release: () => {
        this.holds.splice(this.holds.indexOf(hold), 1);
        hold.waiting.forEach((go) => go());
      },
    };
  }

  async fetch(url: string, init: RequestInit, jar: CookieJar): Promise<Response> {
    await Promise.resolve();
    if (!this.server.reachable) throw new TypeError("no network");
    const parsed = new URL(url, "http://server");
    const path = parsed.pathname.replace(/^\/api\/v1/, "");
    const method = init.method ?? "GET";
    const name = `${method} ${path}${parsed.search}`;
    this.calls.push(name);
    const response = this.answer(method, path, parsed.searchParams, init, jar, name);
    const hold = this.holds.find(({ pattern }) => pattern.test(name));
    if (hold !== undefined) await new Promise<void>((resolve) => hold.waiting.push(resolve));
    if (init.signal?.aborted) throw init.signal.reason;
    return response;
  }

  private answer(
    method: string,
    path: string,
    query: URLSearchParams,
    init: RequestInit,
    jar: CookieJar,
    name: string,
  ): Response {
    const token = new Headers(init.headers).get("Authorization")?.replace("Bearer ", "") ?? null;
    const call: Call = {
      method,
      path,
      query,
      body: typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {},
      who: () => {
        const userId = this.server.ownerOf(token);
        if (userId === null) throw new Refused("unauthenticated");
        return userId;
      },
      jar,
    };
    try {
      const failure = this.failures.find(({ pattern }) => pattern.test(name));
      if (failure !== undefined) throw new Refused(failure.code);
      for (const [pattern, handle] of this.routes) {
        const parts = pattern.exec(`${method} ${path}`);
        if (parts === null) continue;
        const body = handle(call, ...parts.slice(1).map(decodeURIComponent));
        if (body instanceof Response) return body;
        return body === undefined ? new Response(null, { status: 204 }) : json(body, 200);
      }
      throw new Refused("not_found", `no such call: ${name}`);
    } catch (cause) {
      if (!(cause instanceof Refused)) throw cause;
      const status = statusOf[cause.code] ?? 400;
      return json({ code: cause.code, detail: cause.detail, status, errors: cause.errors }, status);
    }
  }

  private room(call: Call, id: string): FakeRoom {
    const room = this.server.rooms.get(id as RoomId);
    const userId = call.who();
    if (room === undefined) throw new Refused("not_found");
    if (!room.members.has(userId)) {
      throw new Refused(room.info.visibility === "public" ? "not_member" : "not_found");
    }
    return room;
  }

  private message(call: Call, roomId: string, id: string): { room: FakeRoom; message: Message } {
    const room = this.room(call, roomId);
    const message = room.messageOfId(id as MessageId);
    if (message === undefined) throw new Refused("not_found");
    return { room, message };
  }

  private signedIn(call: Call, userId: UserId) {
    const { answer, refreshToken } = this.server.signIn(userId);
    call.jar.refreshToken = refreshToken;
    return answer;
  }

  private react(call: Call, roomId: string, id: string, emoji: string, added: boolean): undefined {
    const { room, message } = this.message(call, roomId, id);
    this.server.publish(room.react(this.server.userOf(call.who()), message.seq, emoji, added));
  }

  private users(query: string): User[] {
    return [...this.server.accounts.values()]
      .filter(({ me }) => me.username.includes(query.toLowerCase()))
      .map(({ me }) => this.server.foundUser(me.id));
  }

  private readonly routes: [RegExp, Handler][] = [
    [/^GET \/config$/, () => this.server.config],
    [
      /^POST \/auth\/signup$/,
      (call) => {
        const name = String(call.body.username).toLowerCase();
        if ([...this.server.accounts.values()].some(({ me }) => me.username === name)) {
          throw new Refused("username_taken");
        }
        if (String(call.body.password).length < 8) {
          throw new Refused("invalid", "The password is too short.", [
            { field: "password", message: "at least 8 characters" },
          ]);
        }
        const { id } = this.server.addUser(name);
        this.server.accounts.get(id)!.password = String(call.body.password);
        return json(this.signedIn(call, id), 201);
      },
    ],
    [
      /^POST \/auth\/login$/,
      (call) => {
        const account = [...this.server.accounts.values()].find(
          ({ me }) => me.username === call.body.username,
        );
        if (account === undefined || account.password !== call.body.password) {
          throw new Refused("unauthenticated", "The name or the password is wrong.");
        }
        return this.signedIn(call, account.me.id);
      },
    ],
    [
      /^POST \/auth\/refresh$/,
      ({ jar }) => {
        const renewed = this.server.refresh(jar.refreshToken);
        if (renewed === null) throw new Refused("unauthenticated");
        jar.refreshToken = renewed.refreshToken;
        return renewed.answer;
      },
    ],
    [
      /^POST \/auth\/logout$/,
      ({ jar }) => {
        if (jar.refreshToken !== null) this.server.refreshTokens.delete(jar.refreshToken);
        jar.refreshToken = null;
        return undefined;
      },
    ],
    [
      /^POST \/auth\/password$/,
      (call) => {
        const account = this.server.accounts.get(call.who())!;
        if (account.password !== call.body.current_password) throw new Refused("forbidden");
        account.password = String(call.body.new_password);
        this.server.endSessions(account.me.id);
        return this.signedIn(call, account.me.id);
      },
    ],
    [/^GET \/me$/, (call) => this.server.accounts.get(call.who())!.me],
    [
      /^PATCH \/me$/,
      (call) => {
        const account = this.server.accounts.get(call.who())!;
        account.me = { ...account.me, ...call.body };
        return account.me;
      },
    ],
    [/^GET \/me\/sessions$/, () => ({ sessions: [] })],
    [/^GET \/me\/rooms$/, (call) => ({ rooms: this.server.roomsOf(call.who()) })],
    [/^GET \/users$/, (call) => ({ users: this.users(call.query.get("query") ?? ""), next_cursor: null })],
    [
      /^POST \/rooms$/,
      (call) => {
        const owner = this.server.userOf(call.who());
        const visibility = call.body.visibility === "private" ? "private" : "public";
        const room = this.server.addRoom(String(call.body.name), [owner], visibility);
        this.server.tell(owner.id, { type: "joined", room: room.asMemberRoom(owner.id) });
        return json(room.asMemberRoom(owner.id), 201);
      },
    ],
    [
      /^GET \/rooms$/,
      (call) => {
        const query = (call.query.get("query") ?? "").toLowerCase();
        const rooms = [...this.server.rooms.values()]
          .filter(({ info }) => info.visibility === "public" && info.name.toLowerCase().includes(query))
          .map((room) => ({
            ...room.asRoom(),
            joined: room.members.has(call.who()),
            last_activity_at: room.events.at(-1)?.at ?? null,
          }));
        return { rooms, next_cursor: null };
      },
    ],
    [
      /^PATCH \/rooms\/([^/]+)$/,
      (call, id) => {
        const room = this.room(call, id);
        if ("mood_enabled" in call.body) {
          if (room.members.get(call.who())?.role !== "owner") throw new Refused("forbidden");
          if (room.info.visibility === "direct") throw new Refused("invalid");
        }
        this.server.publish(room.changed(this.server.userOf(call.who()), call.body));
        return room.asRoom();
      },
    ],
    [
      /^DELETE \/rooms\/([^/]+)$/,
      (call, id) => {
        const room = this.room(call, id);
        for (const userId of [...room.members.keys()]) this.server.leave(room, userId, "deleted");
        this.server.rooms.delete(room.id);
        return undefined;
      },
    ],
    [
      /^POST \/rooms\/([^/]+)\/join$/,
      (call, id) => {
        const room = this.server.rooms.get(id as RoomId);
        if (room?.info.visibility !== "public") throw new Refused("not_found");
        this.server.join(room, call.who());
        return room.asMemberRoom(call.who());
      },
    ],
    [
      /^POST \/rooms\/([^/]+)\/leave$/,
      (call, id) => {
        this.server.leave(this.room(call, id), call.who(), "left");
        return undefined;
      },
    ],
    [
      /^GET \/rooms\/([^/]+)\/members$/,
      (call, id) => {
        const members = [...this.room(call, id).members.values()].map((member) => ({
          ...member,
          online: this.server.isOnline(member.user.id),
        }));
        return { members, next_cursor: null };
      },
    ],
    [
      /^PUT \/rooms\/([^/]+)\/members\/([^/]+)$/,
      (call, id, userId) => {
        const room = this.room(call, id);
        const change = "role" in call.body ? "role" : "muted";
        const user = this.server.userOf(userId as UserId);
        this.server.publish(room.member(this.server.userOf(call.who()), user, change, call.body));
        return undefined;
      },
    ],
    [
      /^DELETE \/rooms\/([^/]+)\/members\/([^/]+)$/,
      (call, id, userId) => {
        this.server.leave(this.room(call, id), userId as UserId, "removed");
        return undefined;
      },
    ],
    [/^GET \/rooms\/([^/]+)\/bans$/, () => ({ bans: [] })],
    [/^GET \/rooms\/([^/]+)\/invites$/, () => ({ invites: [] })],
    [
      /^POST \/rooms\/([^/]+)\/invites$/,
      (call, id) => {
        const room = this.room(call, id);
        const code = this.server.newId("invite");
        const inviter = this.server.userOf(call.who());
        this.server.invites.set(code, { roomId: room.id, inviter });
        const created_at = new Date(this.server.clock.now()).toISOString();
        const url = `http://server/invite/${code}`;
        return json(
          { code, url, max_uses: null, uses: 0, expires_at: null, created_by: inviter, created_at },
          201,
        );
      },
    ],
    [
      /^GET \/invites\/([^/]+)$/,
      (_call, code) => {
        const invite = this.server.invites.get(code);
        if (invite === undefined) throw new Refused("not_found");
        const { id, name, topic, members } = this.server.rooms.get(invite.roomId)!.info;
        return { code, room: { id, name, topic, members }, inviter: invite.inviter };
      },
    ],
    [
      /^POST \/invites\/([^/]+)\/accept$/,
      (call, code) => {
        const invite = this.server.invites.get(code);
        if (invite === undefined) throw new Refused("not_found");
        const room = this.server.rooms.get(invite.roomId)!;
        this.server.join(room, call.who());
        return room.asMemberRoom(call.who());
      },
    ],
    [
      /^POST \/dms$/,
      (call) => {
        const pair = [call.who(), call.body.user_id as UserId] as const;
        const held = [...this.server.rooms.values()].find(
          (room) => room.info.visibility === "direct" && pair.every((id) => room.members.has(id)),
        );
        const room =
          held ??
          this.server.addRoom(
            "",
            pair.map((id) => this.server.userOf(id)),
            "direct",
          );
        for (const id of pair) this.server.tell(id, { type: "joined", room: room.asMemberRoom(id) });
        return room.asMemberRoom(pair[0]);
      },
    ],
    [
      /^GET \/rooms\/([^/]+)\/messages$/,
      (call, id) => {
        const room = this.room(call, id);
        const number = (name: string) => {
          const text = call.query.get(name);
          return text === null ? undefined : (Number(text) as Seq);
        };
        const before = number("before");
        const after = number("after");
        const around = number("around");
        const page = room.messagePage({
          ...(before === undefined ? {} : { before }),
          ...(after === undefined ? {} : { after }),
          ...(around === undefined ? {} : { around }),
          limit: Math.min(Number(call.query.get("limit") ?? 50), 200),
        });
        const messages = page.messages.map((message) => withMyReactions(message, call.who()));
        return { ...page, messages };
      },
    ],
    [
      /^GET \/rooms\/([^/]+)\/mood$/,
      (call, id) => {
        const [from, to] = ["from", "to"].map((name) => Date.parse(call.query.get(name) ?? ""));
        const step = call.query.get("bucket");
        if (step !== "hour" && step !== "day" && step !== "week") throw new Refused("invalid");
        return { buckets: this.room(call, id).moodTimeline(from!, to!, step) };
      },
    ],
    [
      /^GET \/rooms\/([^/]+)\/changes$/,
      (call, id) => {
        const limit = Math.min(Number(call.query.get("limit") ?? 200), 200);
        return this.room(call, id).changePage(Number(call.query.get("after") ?? 0) as Seq, limit);
      },
    ],
    [
      /^POST \/rooms\/([^/]+)\/messages$/,
      (call, id) => {
        const body = call.body as unknown as { id: MessageId; body: string; reply_to?: MessageId };
        return json(this.server.accept(this.room(call, id), call.who(), body), 201);
      },
    ],
    [
      /^PATCH \/rooms\/([^/]+)\/messages\/([^/]+)$/,
      (call, roomId, id) => {
        const { room, message } = this.message(call, roomId, id);
        if (message.sender.id !== call.who()) throw new Refused("forbidden");
        const event = room.edit(this.server.userOf(call.who()), message.seq, String(call.body.body));
        this.server.publish(event);
        return event.message;
      },
    ],
    [
      /^DELETE \/rooms\/([^/]+)\/messages\/([^/]+)$/,
      (call, roomId, id) => {
        const { room, message } = this.message(call, roomId, id);
        this.server.publish(room.remove(this.server.userOf(call.who()), message.seq));
        return undefined;
      },
    ],
    [
      /^PUT \/rooms\/([^/]+)\/messages\/([^/]+)\/reactions\/([^/]+)$/,
      (call, roomId, id, emoji) => this.react(call, roomId, id, emoji, true),
    ],
    [
      /^DELETE \/rooms\/([^/]+)\/messages\/([^/]+)\/reactions\/([^/]+)$/,
      (call, roomId, id, emoji) => this.react(call, roomId, id, emoji, false),
    ],
    [
      /^PUT \/rooms\/([^/]+)\/read$/,
      (call, id) => this.server.markRead(call.who(), this.room(call, id).id, call.body),
    ],
    [
      /^PUT \/rooms\/([^/]+)\/notify$/,
      (call, id) => {
        this.room(call, id).notify.set(call.who(), call.body.notify as "all");
        return undefined;
      },
    ],
    [
      /^GET \/search$/,
      (call) => {
        const words = (call.query.get("q") ?? "").toLowerCase();
        const only = call.query.get("room_id");
        const hits = [...this.server.rooms.values()]
          .filter((room) => room.members.has(call.who()) && (only === null || room.id === only))
          .flatMap((room) =>
            room
              .messagesAsOf(room.head)
              .filter((message) => message.deleted_at === null && message.body.toLowerCase().includes(words))
              .map((message) => ({ message, room: room.info, highlight: `<mark>${message.body}</mark>` })),
          );
        return { hits, next_cursor: null };
      },
    ],
    [/^(?:PUT|DELETE) \/blocks\/([^/]+)$/, () => undefined],
    [/^(?:POST|DELETE) \/matches$/, () => undefined],
  ];
}

function json(body: unknown, status: number): Response {
  return new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
}
