import type { SignedIn, SignUp } from "../protocol/http";
import type { Me } from "../protocol/model";
import { Problem } from "../protocol/problem";
import { backoffMs } from "./backoff";
import type { Credentials } from "./credentials";
import type { TokenSource } from "./http-client";
import type { Timer, World } from "./world";

/** A token is renewed when this share of its life is over, so that it never ends while in use. */
const renewAtShare = 0.75;

/**
 * A refresh that finds its token spent may have lost a race against another page, which has the new one a moment later.
 * Or the answer to an earlier one was lost, by a reload or a tunnel: the server gives another after a second.
 */
const raceRetryMs = 1_200;

/** How long another page may take to renew before this one goes ahead without the lock. */
const lockTimeoutMs = 15_000;

interface Token {
  value: string;
  /** By this page's clock, so that a wrong clock does no harm. */
  renewAtMs: number;
  endsAtMs: number;
}

/** What the session tells the engine. */
export interface SessionListener {
  /** Somebody is signed in, with a token that is good now. Also called after every renewal. */
  signedIn(me: Me, token: string): void;
  /** Nobody is signed in any more, or was. */
  signedOut(reason: "none" | "ended"): void;
}

/** What pages of one browser tell each other about the session. */
export type SessionMessage = { type: "signed-in"; session: SignedIn } | { type: "signed-out" };

/**
 * Holds the access token, in memory only, and renews it in time. Pages of one browser share one refresh token: they
 * spend it one at a time, under a lock, and hand the answer to each other.
 */
export class SessionKeeper implements TokenSource {
  private current: Token | null = null;
  /** Whether this browser is believed to be signed in, with or without a token yet. */
  private active = false;
  private renewal: Promise<Token | null> | null = null;
  private timer: Timer | null = null;
  private attempts = 0;
  private stopped = false;
  private readonly endOnStop = new AbortController();

  constructor(
    private readonly world: Pick<World, "now" | "setTimer" | "clearTimer" | "locks" | "random">,
    private readonly credentials: () => Promise<Credentials>,
    private readonly listener: SessionListener,
    private readonly tell: (message: SessionMessage) => void,
  ) {}

  /** Finds out whether this browser is signed in. `remembered` is who the device says it is. */
  restore(remembered: Me | null): void {
    this.active = true;
    void this.renew(remembered !== null).catch(() => {
      // Offline: somebody known stays, with what the device has, until the server can be asked. Of a stranger nothing
      // can be shown but the sign-in.
      if (remembered === null) this.end("none");
      else this.renewLater();
    });
  }

  async signIn(username: string, password: string): Promise<void> {
    this.accept(await (await this.credentials()).signIn(username, password), true);
  }

  async signUp(account: SignUp): Promise<"signed-in" | "confirm-email"> {
    const session = await (await this.credentials()).signUp(account);
    if (session === null) return "confirm-email";
    this.accept(session, true);
    return "signed-in";
  }

  async changePassword(currentPassword: string, newPassword: string): Promise<void> {
    this.accept(await (await this.credentials()).changePassword(currentPassword, newPassword), true);
  }

  /** Ends the session here at once; the server hears of it if it can. */
  async signOut(): Promise<void> {
    const credentials = await this.credentials();
    this.tell({ type: "signed-out" });
    const told = credentials.signOut().catch(() => undefined);
    this.end("none");
    await told;
  }

  /** Another page of this browser signed in, renewed, or signed out. */
  hear(message: SessionMessage): void {
    if (message.type === "signed-out") {
      if (this.active) this.end("none");
    } else this.accept(message.session, false);
  }

  async token(): Promise<string | null> {
    if (!this.active) return null;
    if (this.current !== null && this.current.endsAtMs > this.world.now()) return this.current.value;
    return (await this.renew(true))?.value ?? null;
  }

  refused(token: string): void {
    if (this.current?.value === token) this.current = null;
  }

  stop(): void {
    this.stopped = true;
    this.clearTimer();
    this.endOnStop.abort();
  }

  /** One renewal at a time in this page, and under the lock one in this browser. */
  private renew(known: boolean): Promise<Token | null> {
    this.renewal ??= this.renewOnce(known).finally(() => (this.renewal = null));
    return this.renewal;
  }

  private async renewOnce(known: boolean): Promise<Token | null> {
    const before = this.current;
    const work = async (): Promise<Token | null> => {
      // While this page waited for the lock, the one before it may have handed over its answer.
      if (this.current !== before && this.current !== null) return this.current;
      return this.refresh(known);
    };
    if (this.world.locks === null) return work();
    const waiting = new AbortController();
    const timer = this.world.setTimer(() => waiting.abort(), lockTimeoutMs);
    const signal = AbortSignal.any([waiting.signal, this.endOnStop.signal]);
    const granted = () => {
      this.world.clearTimer(timer);
      return work();
    };
    return this.world.locks.request("blabber-hive-session", { signal }, granted).catch((cause: unknown) => {
      // The page that holds the lock sleeps. A race for the token with it is survived, waiting for ever is not.
      const tooLong = cause instanceof DOMException && waiting.signal.aborted;
      if (tooLong && !this.stopped) return work();
      throw cause;
    });
  }

  private async refresh(known: boolean): Promise<Token | null> {
    const credentials = await this.credentials();
    try {
      return this.accept(await credentials.refresh(), true);
    } catch (problem) {
      if (!isRefusal(problem)) throw problem;
      if (known) {
        await this.wait(raceRetryMs);
        if (this.current !== null) return this.current;
        try {
          return this.accept(await credentials.refresh(), true);
        } catch (again) {
          if (!isRefusal(again)) throw again;
        }
      }
      if (!this.stopped && this.active) {
        this.tell({ type: "signed-out" });
        this.end(known ? "ended" : "none");
      }
      return null;
    }
  }

  private accept(session: SignedIn, tell: boolean): Token | null {
    if (this.stopped) return null;
    const lifeMs = Math.max(lifeOf(session, this.world.now()), 10_000);
    const now = this.world.now();
    const token = {
      value: session.access_token,
      renewAtMs: now + lifeMs * renewAtShare,
      endsAtMs: now + lifeMs,
    };
    this.current = token;
    this.active = true;
    this.attempts = 0;
    this.renewAt(token.renewAtMs);
    if (tell) this.tell({ type: "signed-in", session });
    this.listener.signedIn(session.user, token.value);
    return token;
  }

  private end(reason: "none" | "ended"): void {
    this.active = false;
    this.current = null;
    this.clearTimer();
    this.listener.signedOut(reason);
  }

  private renewAt(atMs: number): void {
    this.clearTimer();
    // Pages of one browser would all wake at once; who wakes first renews for all.
    const spreadMs = this.world.random() * 5_000;
    this.timer = this.world.setTimer(
      () => {
        this.timer = null;
        this.renew(true).catch(() => this.renewLater());
      },
      Math.max(0, atMs - this.world.now() - spreadMs),
    );
  }

  private renewLater(): void {
    if (this.stopped || !this.active) return;
    this.renewAt(this.world.now() + 5_000 + backoffMs(this.attempts++, this.world.random()));
  }

  private wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.world.setTimer(resolve, ms));
  }

  private clearTimer(): void {
    if (this.timer !== null) this.world.clearTimer(this.timer);
    this.timer = null;
  }
}

/** Whether the server said that there is no session, rather than that it could not say. */
function isRefusal(problem: unknown): boolean {
  return problem instanceof Problem && problem.code === "unauthenticated";
}

const claimsShape = /^[\w-]+\.([\w-]+)\.[\w-]*$/;

/**
 * How long a token lives, in milliseconds. The token's own claims say it without the clock of this device, which may be
 * wrong; where they cannot be read, the clock has to do.
 */
function lifeOf(session: SignedIn, nowMs: number): number {
  const claims = claimsShape.exec(session.access_token)?.[1];
  if (claims !== undefined) {
    try {
      const read = JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))) as {
        iat?: unknown;
        exp?: unknown;
      };
      if (typeof read.iat === "number" && typeof read.exp === "number") return (read.exp - read.iat) * 1000;
    } catch {
      // Not a token of that kind.
    }
  }
  return Date.parse(session.expires_at) - nowMs;
}
