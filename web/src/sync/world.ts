declare const timer: unique symbol;

/** A timer that has been set and can be taken back. */
export interface Timer {
  readonly [timer]: true;
}

/** What of a WebSocket the engine uses. */
export interface Socket {
  send(data: string): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

/** Other pages of this browser that show the same person. */
export interface Channel {
  post(message: unknown): void;
  onmessage: ((message: unknown) => void) | null;
  close(): void;
}

/**
 * Everything outside the engine: clock, chance, network and the browser's other pages. It is handed in, so
 * that the same events give the same run, and tests control every one of them.
 */
export interface World {
  now(): number;
  setTimer(run: () => void, delayMs: number): Timer;
  clearTimer(timer: Timer): void;
  /** From 0 up to but without 1. */
  random(): number;
  randomBytes(bytes: Uint8Array): Uint8Array;
  fetch(url: string, init: RequestInit): Promise<Response>;
  openSocket(url: string): Socket;
  /** Where the API is, without a slash at the end; empty for the page's own origin. */
  apiOrigin: string;
  /** Where the socket is, such as `wss://chat.example.org/ws`. */
  socketUrl: string;
  /** Null where the browser has none, as on pages that are not served over TLS. */
  locks: LockManager | null;
  openChannel(name: string): Channel | null;
  /** Whether the browser believes to have a network. */
  isOnline(): boolean;
  /** Tells when the network comes or goes, and when the page comes to or leaves the screen. */
  onEnvironment(changed: (event: "online" | "offline" | "visible" | "hidden") => void): () => void;
}

/** The world of a browser. */
export function browserWorld(apiOrigin: string): World {
  const base = new URL(apiOrigin === "" ? window.location.origin : apiOrigin);
  const socketUrl = new URL("/ws", base);
  socketUrl.protocol = base.protocol === "https:" ? "wss:" : "ws:";
  return {
    now: () => Date.now(),
    setTimer: (run, delayMs) => window.setTimeout(run, delayMs) as unknown as Timer,
    clearTimer: (timer) => window.clearTimeout(timer as unknown as number),
    random: () => Math.random(),
    randomBytes: (bytes) => crypto.getRandomValues(bytes as Uint8Array<ArrayBuffer>),
    fetch: (url, init) => fetch(url, init),
    openSocket: (url) => new WebSocket(url) as Socket,
    apiOrigin,
    socketUrl: socketUrl.href,
    locks: "locks" in navigator ? navigator.locks : null,
    openChannel: (name) => {
      if (!("BroadcastChannel" in window)) return null;
      const inner = new BroadcastChannel(name);
      const channel: Channel = {
        post: (message) => inner.postMessage(message),
        onmessage: null,
        close: () => inner.close(),
      };
      inner.onmessage = (event) => channel.onmessage?.(event.data);
      return channel;
    },
    isOnline: () => navigator.onLine,
    onEnvironment: (changed) => {
      const online = () => changed("online");
      const offline = () => changed("offline");
      const visibility = () => changed(document.visibilityState === "hidden" ? "hidden" : "visible");
      const leaving = () => changed("hidden");
      window.addEventListener("online", online);
      window.addEventListener("offline", offline);
      window.addEventListener("pagehide", leaving);
      document.addEventListener("visibilitychange", visibility);
      return () => {
        window.removeEventListener("online", online);
        window.removeEventListener("offline", offline);
        window.removeEventListener("pagehide", leaving);
        document.removeEventListener("visibilitychange", visibility);
      };
    },
  };
}
