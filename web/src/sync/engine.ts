import * as decoders from "../protocol/decode";
import type { RoomId } from "../protocol/ids";
import type { Config, Me, User } from "../protocol/model";
import { Problem } from "../protocol/problem";
import { createApi, type Api } from "./api";
import { backoffMs } from "./backoff";
import { localCredentials, type Credentials } from "./credentials";
import { SharedDevice } from "./device";
import { HttpClient } from "./http-client";
import { messageOfId } from "./log";
import { MessageChanges } from "./message-changes";
import { moodChangeOf } from "./mood";
import type { OutboxMessage } from "./outbox";
import { Person } from "./person";
import { createViews } from "./selectors";
import { SessionKeeper, type SessionMessage } from "./session";
import { initialState, meOf } from "./state";
import { Store } from "./store";
import { supabaseCredentials } from "./supabase";
import type {
  Arrival,
  MessageActions,
  MoodChange,
  ReadActions,
  SendActions,
  SessionActions,
  Sync,
  TimelineActions,
  Views,
} from "./sync";
import type { Channel, Timer, World } from "./world";

/** What pages of one browser tell each other; outbox messages name the person, who may be another on each page. */
type PageMessage = SessionMessage | { type: "outbox"; userId: Me["id"]; message: OutboxMessage };

/** The engine of a page: who is signed in, and their {@link Person} while they are. */
export class Engine implements Sync {
  readonly views: Views;
  readonly api: Api;
  readonly session: SessionActions;
  readonly messages: SendActions & MessageActions;
  readonly timeline: TimelineActions;
  readonly read: ReadActions;

  private readonly store: Store;
  private readonly http: HttpClient;
  private readonly keeper: SessionKeeper;
  private readonly channel: Channel | null;
  private readonly arrivals = new Set<(arrival: Arrival) => void>();
  private readonly moods = new Set<(change: MoodChange) => void>();
  private readonly matches = new Set<(roomId: RoomId, peer: User) => void>();
  private shared: SharedDevice | null = null;
  private person: Person | null = null;
  private readonly config: Promise<Config>;
  private haveConfig: (config: Config) => void = () => undefined;
  private configTimer: Timer | null = null;
  private provider: { auth: string; credentials: Credentials } | null = null;
  private stopListening: () => void = () => undefined;
  private stopped = false;

  constructor(private readonly world: World) {
    this.store = new Store(initialState(world.now()));
    this.store.onAction((action, before, now) => this.person?.note(action, before, now));
    this.store.onAction((action) => {
      const change = moodChangeOf(action);
      if (change !== null) this.moods.forEach((listener) => listener(change));
    });
    this.views = createViews({
      subscribe: this.store.subscribe,
      state: this.store.state,
      now: () => world.now(),
    });
    this.config = new Promise((resolve) => (this.haveConfig = resolve));
    this.channel = world.openChannel("blabber-hive");
    this.http = new HttpClient(world, {
      token: () => this.keeper.token(),
      refused: (token) => this.keeper.refused(token),
    });
    this.keeper = new SessionKeeper(
      world,
      () => this.credentials(),
      {
        signedIn: (me, token) => this.signedIn(me, token),
        signedOut: (reason) => this.signedOut(reason),
      },
      (message) => this.tell(message),
    );
    this.api = createApi(this.http, {
      joined: (room) => this.store.dispatch({ type: "room-joined", room }),
      left: (roomId) => this.store.dispatch({ type: "room-left", roomId }),
      blocked: (userId, blocked) => this.store.dispatch({ type: "blocked", userId, blocked }),
    });
    this.session = this.sessionActions();
    this.messages = this.messageActions(new MessageChanges(world, this.store, this.http));
    this.timeline = this.timelineActions();
    this.read = {
      markRead: (roomId, seq) => this.person?.reads.markRead(roomId, seq),
      markUnreadFrom: (roomId, seq) => this.ofPerson((person) => person.reads.markUnreadFrom(roomId, seq)),
      setNotify: (roomId, notify) => this.ofPerson((person) => person.reads.setNotify(roomId, notify)),
    };
  }

  start(): void {
    if (this.channel !== null) this.channel.onmessage = (message) => this.hear(message as PageMessage);
    this.stopListening = this.world.onEnvironment((event) => this.person?.environmentChanged(event));
    void this.restore();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    this.stopListening();
    this.keeper.stop();
    this.channel?.close();
    if (this.configTimer !== null) this.world.clearTimer(this.configTimer);
    await this.person?.stop(false);
    this.shared?.close();
  }

  retryNow(): void {
    this.person?.retryNow();
  }

  loadMembers(roomId: RoomId): Promise<void> {
    return this.ofPerson((person) => person.members.load(roomId));
  }

  onArrival(listener: (arrival: Arrival) => void): () => void {
    this.arrivals.add(listener);
    return () => this.arrivals.delete(listener);
  }

  onMoodChange(listener: (change: MoodChange) => void): () => void {
    this.moods.add(listener);
    return () => this.moods.delete(listener);
  }

  onMatch(listener: (roomId: RoomId, peer: User) => void): () => void {
    this.matches.add(listener);
    return () => this.matches.delete(listener);
  }

  private async restore(): Promise<void> {
    this.shared = await SharedDevice.open();
    const { me, config } = await this.shared.load();
    if (this.stopped) return;
    if (config !== null) this.useConfig(config);
    void this.loadConfig(0);
    // Somebody may have signed in, here or on another page, while the device was being read.
    if (meOf(this.store.state()) !== null) return;
    if (me !== null) this.begin(me, false);
    this.keeper.restore(me);
  }

  private async loadConfig(attempt: number): Promise<void> {
    try {
      const config = await this.http.call(decoders.config, "/config", { anonymous: true });
      if (this.stopped) return;
      this.useConfig(config);
      void this.shared?.save("config", config);
    } catch (cause) {
      if (this.stopped) return;
      const problem = cause instanceof Problem ? cause : new Problem("unreadable", String(cause));
      this.store.dispatch({ type: "config-failed", problem });
      const delayMs = 1_000 + backoffMs(attempt, this.world.random());
      this.configTimer = this.world.setTimer(() => void this.loadConfig(attempt + 1), delayMs);
    }
  }

  private useConfig(config: Config): void {
    this.store.dispatch({ type: "config", config });
    this.haveConfig(config);
  }

  private async credentials(): Promise<Credentials> {
    const { auth } = this.store.state().config ?? (await this.config);
    // One for as long as the server says the same: what the device remembers of it may be old.
    const said = JSON.stringify([auth.provider, auth.supabase_url, auth.supabase_anon_key]);
    if (this.provider?.auth !== said) {
      const credentials =
        auth.provider === "supabase"
          ? supabaseCredentials(this.http, this.world, auth)
          : localCredentials(this.http);
      this.provider = { auth: said, credentials };
    }
    return this.provider.credentials;
  }

  private signedIn(me: Me, token: string): void {
    if (this.person !== null && this.person.id !== me.id) this.end("none");
    void this.shared?.save("me", me);
    if (this.person === null) this.begin(me, true);
    else {
      this.store.dispatch({ type: "session", session: { status: "signed-in", me, confirmed: true } });
      this.person.renewed(token);
    }
  }

  private signedOut(reason: "none" | "ended"): void {
    void this.shared?.save("me", null);
    this.end(reason);
  }

  private begin(me: Me, confirmed: boolean): void {
    this.store.dispatch({ type: "session", session: { status: "signed-in", me, confirmed } });
    this.person = new Person(me, this.world, this.store, this.http, this.keeper, {
      arrived: (arrival) => this.arrivals.forEach((listener) => listener(arrival)),
      matched: (roomId, peer) => this.matches.forEach((listener) => listener(roomId, peer)),
      tell: (message) => this.tell({ type: "outbox", userId: me.id, message }),
    });
    void this.person.start();
  }

  private end(reason: "none" | "ended"): void {
    const { person } = this;
    this.person = null;
    void person?.stop(true);
    this.store.dispatch({ type: "signed-out", reason, nowMs: this.world.now() });
  }

  private tell(message: PageMessage): void {
    this.channel?.post(message);
  }

  private hear(message: PageMessage): void {
    if (this.stopped) return;
    if (message.type !== "outbox") this.keeper.hear(message);
    else if (this.person?.id === message.userId) this.person.hear(message.message);
  }

  private ofPerson<T>(act: (person: Person) => Promise<T>): Promise<T> {
    if (this.person === null) return Promise.reject(new Problem("unauthenticated", "nobody is signed in"));
    return act(this.person);
  }

  private signedInPerson(): Person {
    if (this.person === null) throw new Error("nobody is signed in");
    return this.person;
  }

  private sessionActions(): SessionActions {
    return {
      signIn: (username, password) => this.keeper.signIn(username, password),
      signUp: (account) => this.keeper.signUp(account),
      signOut: () => this.keeper.signOut(),
      changePassword: (current, next) => this.keeper.changePassword(current, next),
      changeMe: async (change) => {
        const me = await this.http.call(decoders.me, "/me", { method: "PATCH", body: change });
        this.store.dispatch({ type: "me", me });
        void this.shared?.save("me", me);
        return me;
      },
    };
  }

  private messageActions(changes: MessageChanges): SendActions & MessageActions {
    return {
      send: (roomId, message) => this.signedInPerson().outbox.send(roomId, message),
      sendNow: () => this.person?.outbox.sendNow(),
      discard: (id) => {
        this.person?.outbox.discard(id);
      },
      takeBack: (id) => this.person?.outbox.takeBack(id) ?? null,
      typing: (roomId) => this.person?.typing(roomId),
      setDraft: (roomId, draft) => {
        const empty = draft.text === "" && draft.replyTo === null;
        this.store.dispatch({ type: "draft", roomId, draft: empty ? null : draft });
      },
      edit: (roomId, id, body) => changes.edit(roomId, id, body),
      remove: (roomId, id) => changes.remove(roomId, id),
      react: (roomId, id, emoji) => changes.react(roomId, id, emoji),
      unreact: (roomId, id, emoji) => changes.unreact(roomId, id, emoji),
    };
  }

  private timelineActions(): TimelineActions {
    return {
      open: (roomId) => this.person?.open(roomId) ?? (() => undefined),
      loadOlder: (roomId) => this.ofPerson((person) => person.history.loadOlder(roomId)),
      loadNewer: (roomId) => this.ofPerson((person) => person.history.loadNewer(roomId)),
      loadAround: (roomId, seq) => this.ofPerson((person) => person.history.loadAround(roomId, seq)),
      loadLatest: (roomId) => this.ofPerson((person) => person.history.loadLatest(roomId)),
      loadHole: (roomId, hole, from) =>
        this.ofPerson((person) => person.history.loadHole(roomId, hole, from)),
      scrollAnchor: (roomId) => this.store.state().anchors.get(roomId) ?? null,
      setScrollAnchor: (roomId, anchor) => this.store.dispatch({ type: "anchor", roomId, anchor }),
      seqOf: (roomId, id) => {
        const log = this.store.state().rooms.get(roomId)?.log;
        return (log === undefined ? undefined : messageOfId(log, id))?.seq ?? null;
      },
    };
  }
}
