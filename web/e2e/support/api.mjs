import { randomBytes } from "node:crypto";

export const password = "correct horse battery";

/** A UUIDv7, as clients give one to each message. */
export function newId(now = Date.now()) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Talks to the server as a person does, without a browser: for what a test needs but is not about. */
export class Api {
  constructor(origin) {
    this.origin = origin;
    this.token = null;
    this.me = null;
  }

  static async signUp(origin, username, displayName = username) {
    const api = new Api(origin);
    await api.#enter("/auth/signup", { username, password, display_name: displayName });
    return api;
  }

  static async signIn(origin, username) {
    const api = new Api(origin);
    await api.#enter("/auth/login", { username, password });
    return api;
  }

  async #enter(path, body) {
    const { user, access_token } = await this.call("POST", path, body);
    this.token = access_token;
    this.me = user;
  }

  /** The answer's JSON; throws what is not 2xx. */
  async call(method, path, body) {
    const answer = await fetch(`${this.origin}/api/v1${path}`, {
      method,
      headers: {
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text === "" ? null : JSON.parse(text);
  }

  makeRoom(name, { topic = "", visibility = "public" } = {}) {
    return this.call("POST", "/rooms", { name, topic, visibility });
  }

  join(roomId) {
    return this.call("POST", `/rooms/${roomId}/join`);
  }

  send(roomId, body, extra = {}) {
    return this.call("POST", `/rooms/${roomId}/messages`, { id: newId(), body, ...extra });
  }

  /** Sends many, some at a time so that they share commits; their order is that of the server's numbers. */
  async sendAll(roomId, bodies, atOnce = 64) {
    const queue = bodies[Symbol.iterator]();
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const body of queue) await this.send(roomId, body);
      }),
    );
  }

  remove(roomId, messageId) {
    return this.call("DELETE", `/rooms/${roomId}/messages/${messageId}`);
  }

  react(roomId, messageId, emoji) {
    return this.call("PUT", `/rooms/${roomId}/messages/${messageId}/reactions/${encodeURIComponent(emoji)}`);
  }

  invite(roomId) {
    return this.call("POST", `/rooms/${roomId}/invites`, {});
  }

  /** Every message of a room in order, whatever number of pages it takes. */
  async history(roomId) {
    const all = [];
    for (;;) {
      const after = all.at(-1)?.seq ?? 1; // 1 is the making of the room
      const { messages } = await this.call("GET", `/rooms/${roomId}/messages?after=${after}&limit=200`);
      if (messages.length === 0) return all;
      all.push(...messages);
    }
  }
}
