import { decode, serverFrame } from "../protocol/decode";
import { closeCodes, type ClientFrame, type ServerFrame } from "../protocol/frames";
import type { RoomId, Seq } from "../protocol/ids";
import { Problem } from "../protocol/problem";
import { backoffMs } from "./backoff";
import type { TokenSource } from "./http-client";
import type { SocketState } from "./state";
import type { Socket, Timer, World } from "./world";

/** How long opening a socket and being told `ready` may take. */
const readyTimeoutMs = 15_000;

/** How long the server may take to answer a ping before the line counts as dead. */
const pongTimeoutMs = 10_000;

/** A connection that held this long was good: the next loss begins the backoff again. */
const stableMs = 10_000;

/** After this many attempts in a row that met nobody, people are told that they are offline. */
const offlineAfterAttempts = 3;

/** Close codes after which coming back soon makes things worse, and how long to stay away at least. */
const stayAwayMs: Readonly<Record<number, number>> = { 4409: 30_000, 4429: 15_000 };

/** What the connection tells the engine, and asks of it. */
export interface ConnectionListener {
  /** For the rooms to be caught up with: the number up to which each is complete. */
  positions(): Record<RoomId, Seq>;
  /** A frame, in the order the server sent them. */
  frame(frame: ServerFrame): void;
  state(state: SocketState): void;
  /** The socket is gone; `code` is why. What was sent and not answered may or may not have arrived. */
  lost(code: number): void;
}

/**
 * The one socket of a page: connects, says who it is and how far it has read, notices a dead line, and comes back. What
 * the server sends is handed on as it is; what it means is the engine's affair.
 */
export class Connection {
  private socket: Socket | null = null;
  private ready = false;
  private wanted = false;
  private attempts = 0;
  private sinceMs: number;
  /** Numbers the sockets, so that a late token or answer for an earlier one is told apart. */
  private generation = 0;
  /** The server asked to come back at that moment. */
  private comeBackAtMs: number | null = null;
  private readonly timers = new Map<"attempt" | "ready" | "ping" | "pong" | "stable" | "drain", Timer>();
  private heartbeatMs = 25_000;

  constructor(
    private readonly world: Pick<
      World,
      "now" | "setTimer" | "clearTimer" | "random" | "openSocket" | "socketUrl" | "isOnline"
    >,
    private readonly tokens: TokenSource,
    private readonly listener: ConnectionListener,
  ) {
    this.sinceMs = world.now();
  }

  /** Connects, and stays connected until `stop`. */
  start(): void {
    if (this.wanted) return;
    this.wanted = true;
    this.attempts = 0;
    this.sinceMs = this.world.now();
    this.attempt();
  }

  stop(): void {
    this.wanted = false;
    this.drop();
    this.clearTimers();
  }

  /** Forgets the backoff: the network is back, or a person pressed the button. */
  retryNow(): void {
    if (!this.wanted || this.socket !== null) return;
    this.attempts = 0;
    this.attempt();
  }

  /** The browser says that the network went or came. */
  networkChanged(online: boolean): void {
    if (online) this.retryNow();
    else if (this.ready) this.checkLine();
    else if (this.wanted) this.waitFor(null);
  }

  /** Whether a frame sent now goes out. */
  get isReady(): boolean {
    return this.ready;
  }

  /** Sends a frame; false if there is no connection to send it on. */
  send(frame: ClientFrame): boolean {
    if (!this.ready || this.socket === null) return false;
    this.socket.send(JSON.stringify(frame));
    return true;
  }

  /** A new token: the server is told before the old one ends. */
  renewed(token: string): void {
    this.send({ type: "auth", token });
  }

  /** Asks the server for a sign of life, and gives the socket up if none comes. */
  checkLine(): void {
    if (!this.send({ type: "ping" })) return;
    if (this.timers.has("pong")) return;
    this.setTimer("pong", pongTimeoutMs, () => this.lost(1006));
  }

  private attempt(): void {
    this.clearTimer("attempt");
    if (!this.wanted || this.socket !== null) return;
    // Who has been told that they are offline is not told otherwise by every attempt.
    if (this.attempts <= offlineAfterAttempts) {
      this.listener.state({ status: "connecting", sinceMs: this.sinceMs });
    }
    const generation = ++this.generation;
    this.tokens.token().then(
      (token) => {
        if (this.generation !== generation || !this.wanted || token === null) return;
        this.open(token);
      },
      () => {
        if (this.generation === generation && this.wanted) this.tryLater(0);
      },
    );
  }

  private open(token: string): void {
    const socket = this.world.openSocket(this.world.socketUrl);
    this.socket = socket;
    this.setTimer("ready", readyTimeoutMs, () => this.lost(1006));
    socket.onopen = () => {
      const frame: ClientFrame = { type: "auth", token, positions: this.listener.positions() };
      socket.send(JSON.stringify(frame));
    };
    socket.onmessage = ({ data }) => {
      if (this.socket === socket) this.receive(data);
    };
    socket.onclose = ({ code }) => {
      if (this.socket !== socket) return;
      if (code === 4401) this.tokens.refused(token);
      this.lost(code);
    };
  }

  private receive(data: unknown): void {
    // Anything at all is a sign of life.
    this.clearTimer("pong");
    this.schedulePing();
    let frame: ServerFrame;
    try {
      frame = decode(serverFrame, JSON.parse(String(data)));
    } catch {
      // A frame of a kind that came later than this client. Events never end here: they keep their number.
      return;
    }
    if (frame.type === "ready") this.becomeReady(frame.heartbeat_seconds);
    if (frame.type === "draining") this.drain(frame.reconnect_in_ms);
    this.listener.frame(frame);
  }

  private becomeReady(heartbeatSeconds: number): void {
    this.ready = true;
    this.heartbeatMs = heartbeatSeconds * 1_000;
    this.clearTimer("ready");
    this.setTimer("stable", stableMs, () => (this.attempts = 0));
    this.schedulePing();
    this.listener.state({ status: "ready" });
  }

  /** A silent client is gone after two heartbeats, so it speaks at least every one. */
  private schedulePing(): void {
    if (!this.ready) return;
    this.setTimer("ping", this.heartbeatMs, () => {
      this.checkLine();
      this.schedulePing();
    });
  }

  /** This node goes away; until then it still serves. Everybody was given another moment to come back. */
  private drain(inMs: number): void {
    this.comeBackAtMs = this.world.now() + inMs;
    this.setTimer("drain", inMs, () => this.lost(4503));
  }

  private lost(code: number): void {
    const wasReady = this.ready;
    const comeBackAtMs = this.comeBackAtMs;
    this.drop();
    this.listener.lost(code);
    if (!this.wanted) return;
    if (wasReady) this.sinceMs = this.world.now();
    const then = closeCodes[code]?.then ?? "reconnect";
    if (then === "give-up") {
      this.wanted = false;
      const detail = closeCodes[code]?.name ?? String(code);
      const problem = new Problem(code === 4403 ? "forbidden" : "bad_request", detail);
      this.listener.state({ status: "refused", problem });
    } else if (comeBackAtMs !== null) {
      this.waitFor(Math.max(comeBackAtMs, this.world.now()));
    } else {
      this.tryLater(stayAwayMs[code] ?? 0);
    }
  }

  private tryLater(atLeastMs: number): void {
    // The first attempt after a good connection is spread as well: a node that fell has lost everybody at once.
    const delayMs = atLeastMs + backoffMs(this.attempts++, this.world.random());
    this.waitFor(this.world.now() + delayMs);
  }

  /** Waits for a moment, or for the network to come back. */
  private waitFor(atMs: number | null): void {
    const offline = !this.world.isOnline();
    const nextAttemptAtMs = offline ? null : atMs;
    this.listener.state({
      status: "waiting",
      sinceMs: this.sinceMs,
      nextAttemptAtMs,
      offline: offline || this.attempts > offlineAfterAttempts,
    });
    this.clearTimer("attempt");
    // Browsers are often wrong about being offline, so this still tries, only not often.
    const delayMs = offline ? 30_000 : Math.max(0, (atMs ?? 0) - this.world.now());
    this.setTimer("attempt", delayMs, () => this.attempt());
  }

  private drop(): void {
    const { socket } = this;
    this.generation++;
    this.socket = null;
    this.ready = false;
    this.comeBackAtMs = null;
    for (const name of ["ready", "ping", "pong", "stable", "drain"] as const) this.clearTimer(name);
    if (socket === null) return;
    socket.onopen = null;
    socket.onmessage = null;
    socket.onclose = null;
    socket.close(1000);
  }

  private setTimer(name: Parameters<typeof this.clearTimer>[0], delayMs: number, run: () => void): void {
    this.clearTimer(name);
    this.timers.set(
      name,
      this.world.setTimer(() => {
        this.timers.delete(name);
        run();
      }, delayMs),
    );
  }

  private clearTimer(name: "attempt" | "ready" | "ping" | "pong" | "stable" | "drain"): void {
    const timer = this.timers.get(name);
    if (timer !== undefined) this.world.clearTimer(timer);
    this.timers.delete(name);
  }

  private clearTimers(): void {
    for (const name of [...this.timers.keys()]) this.clearTimer(name);
  }
}
