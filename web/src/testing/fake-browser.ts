import { IDBFactory } from "fake-indexeddb";
import type { UserId } from "../protocol/ids";
import { Engine } from "../sync/engine";
import type { Socket, World } from "../sync/world";
import { FakeClock, settle } from "./fake-clock";
import type { FakeConnection } from "./fake-connection";
import { FakeHttp, type CookieJar } from "./fake-http";
import { FakeChannels, FakeLocks } from "./fake-locks";
import { FakeServer } from "./fake-server";

/** The browser's end of one socket. */
class FakeSocket implements Socket {
  onopen: Socket["onopen"] = null;
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  readonly connection: FakeConnection;

  constructor(server: FakeServer, alive: () => boolean) {
    this.connection = server.connect(
      (data) => {
        if (alive()) this.onmessage?.({ data });
      },
      (code) => {
        if (alive()) this.onclose?.({ code, reason: "" });
      },
    );
    queueMicrotask(() => {
      if (!server.reachable) this.connection.close(1006);
      else if (alive()) this.onopen?.();
    });
  }

  send(data: string): void {
    this.connection.receive(data);
  }

  close(code = 1000): void {
    this.connection.close(code);
  }
}

/** One page of a browser, with an engine of its own. */
export class FakePage {
  readonly sync: Engine;
  private alive = true;
  private online = true;
  private environment: (event: "online" | "offline" | "visible" | "hidden") => void = () => undefined;

  constructor(
    private readonly browser: FakeBrowser,
    private readonly number: number,
  ) {
    this.sync = new Engine(this.world());
    this.sync.start();
  }

  /** The page is gone at once, as when its process is killed: nothing is saved, told or awaited any more. */
  async crash(): Promise<void> {
    this.alive = false;
    for (const connection of [...this.browser.server.connections]) {
      if (this.sockets.has(connection)) connection.close(1006);
    }
    this.browser.channels.closeAll(this.number);
    this.browser.locks?.releaseAll(this.number);
    await settle();
  }

  /** The page is closed in good order, or reloaded: it gets to save what it has. */
  async close(): Promise<void> {
    await this.sync.stop();
    await this.crash();
  }

  /** The network goes, or comes back, as the browser sees it. */
  setOnline(online: boolean): void {
    this.online = online;
    this.environment(online ? "online" : "offline");
  }

  hide(): void {
    this.environment("hidden");
  }

  private readonly sockets = new Set<FakeConnection>();

  private world(): World {
    const { server, http, jar, clock, locks, channels } = this.browser;
    const alive = () => this.alive;
    return {
      now: () => clock.now(),
      setTimer: (run, delayMs) =>
        clock.setTimer(() => {
          if (alive()) run();
        }, delayMs),
      clearTimer: (timer) => clock.clearTimer(timer),
      // Half of every random span: backoff is then known, and never nothing.
      random: () => 0.5,
      randomBytes: (bytes) => {
        bytes.forEach((_, i) => (bytes[i] = this.browser.nextByte()));
        return bytes;
      },
      fetch: async (url, init) => {
        const response = await http.fetch(url, init, jar);
        // A dead page never hears the answer, though the server did what it was asked.
        return alive() ? response : new Promise(() => undefined);
      },
      openSocket: () => {
        const socket = new FakeSocket(server, alive);
        this.sockets.add(socket.connection);
        return socket;
      },
      apiOrigin: "",
      socketUrl: "ws://server/ws",
      locks: locks?.of(this.number) ?? null,
      openChannel: (name) => channels.open(name, this.number),
      isOnline: () => this.online,
      onEnvironment: (changed) => {
        this.environment = changed;
        return () => undefined;
      },
    };
  }
}

/** A browser: pages that share a cookie, a device, locks and channels. */
export class FakeBrowser {
  readonly jar: CookieJar = { refreshToken: null };
  readonly channels = new FakeChannels();
  readonly locks: FakeLocks | null;
  readonly http: FakeHttp;
  private lastPage = 0;
  private lastByte = 0;

  constructor(
    readonly server: FakeServer,
    options: { locks?: boolean } = {},
  ) {
    this.http = new FakeHttp(server);
    this.locks = options.locks === false ? null : new FakeLocks();
  }

  get clock(): FakeClock {
    return this.server.clock;
  }

  /** Opens a page and lets it do what it can at once. */
  async openPage(): Promise<FakePage> {
    const page = new FakePage(this, ++this.lastPage);
    await settle();
    return page;
  }

  /** The browser was signed in before: it has the cookie. */
  signIn(userId: UserId): void {
    this.jar.refreshToken = this.server.signIn(userId).refreshToken;
  }

  nextByte(): number {
    this.lastByte = (this.lastByte * 137 + 91) % 256;
    return this.lastByte;
  }
}

/** A world for one test: a server, a browser, and a device with nothing on it. */
export function fakeWorld(options: { locks?: boolean } = {}) {
  globalThis.indexedDB = new IDBFactory();
  const clock = new FakeClock();
  const server = new FakeServer(clock);
  const browser = new FakeBrowser(server, options);
  return { clock, server, browser };
}
