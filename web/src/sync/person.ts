import type { ServerFrame } from "../protocol/frames";
import { after, type RoomId, type Seq } from "../protocol/ids";
import type { Me, MemberRoom, Message, User } from "../protocol/model";
import { Connection } from "./connection";
import { Device, type DeviceContent } from "./device";
import { DeviceWriter, recordOfSaved } from "./device-writer";
import { History } from "./history";
import type { HttpClient, TokenSource } from "./http-client";
import { MemberLoader } from "./member-loader";
import { Outbox, type OutboxMessage } from "./outbox";
import { ReadMarks } from "./read-marks";
import type { Action } from "./reducer";
import { typingMs } from "./reducer";
import { Repair } from "./repair";
import type { RoomRecord, State } from "./state";
import type { StoreAccess } from "./store";
import type { Arrival } from "./sync";
import type { Timer, World } from "./world";

/** Rooms that were opened here last are caught up with by the server; others begin at their head when connecting. */
const positionsMax = 200;

/** A database that takes longer to open is held up by something; the page then goes on without one. */
const deviceTimeoutMs = 3_000;

/** Events that come within a frame of each other are applied together. */
const frameMs = 16;

/** A room that is not on the screen is cut to its newest numbers when it holds more entries than this in memory. */
const closedEntriesMax = 400;
const closedNumbersKept = 200;

const typingEveryMs = 3_000;

/** What a person's engine tells the page's. */
export interface PersonListener {
  arrived(arrival: Arrival): void;
  matched(roomId: RoomId, peer: User): void;
  tell(message: OutboxMessage): void;
}

/**
 * Everything that runs while one person is signed in: their device, socket, outbox and rooms. It ends as a whole, so that
 * nothing of one person is ever seen by the next.
 */
export class Person {
  readonly history: History;
  readonly members: MemberLoader;
  readonly reads: ReadMarks;
  readonly outbox: Outbox;
  private readonly store: StoreAccess;
  private readonly connection: Connection;
  private readonly repair: Repair;
  private device: Device | null = null;
  private writer: DeviceWriter | null = null;
  private readonly holds = new Map<RoomId, number>();
  private readonly named = new Set<RoomId>();
  /** Events up to these numbers are from before the page listened. */
  private readonly liveAfter = new Map<RoomId, Seq>();
  private readonly typedAtMs = new Map<RoomId, number>();
  private events: Extract<ServerFrame, { type: "event" }>[] = [];
  private eventsTimer: Timer | null = null;
  private typingTimer: Timer | null = null;
  private stopped = false;

  constructor(
    private readonly me: Me,
    private readonly world: World,
    page: StoreAccess,
    http: HttpClient,
    tokens: TokenSource,
    private readonly listener: PersonListener,
  ) {
    // An answer that comes after this person is gone must not reach the next one's state.
    const store: StoreAccess = {
      state: page.state,
      dispatch: (...actions) => {
        if (!this.stopped) page.dispatch(...actions);
      },
      batch: (work) => page.batch(work),
    };
    this.store = store;
    this.history = new History(store, () => this.device, http);
    this.members = new MemberLoader(store, http);
    this.repair = new Repair(world, store, http, (roomId, head) => this.history.restart(roomId, head));
    this.connection = new Connection(world, tokens, {
      positions: () => this.positions(),
      frame: (frame) => this.receive(frame),
      state: (socket) => this.store.dispatch({ type: "socket", socket }),
      lost: (code) => this.lost(code),
    });
    this.reads = new ReadMarks(world, store, http, (frame) => this.connection.send(frame));
    this.outbox = new Outbox(
      world,
      store,
      this.connection,
      (message) => listener.tell(message),
      `blabber-hive-outbox-${me.id}`,
    );
  }

  get id(): Me["id"] {
    return this.me.id;
  }

  /** Shows what the device has, then connects. */
  async start(): Promise<void> {
    const device = await this.openDevice();
    const content = await device.load();
    // Signed out meanwhile: whoever is next must not meet what this person left.
    if (this.ended()) device.close();
    else this.begin(device, content);
  }

  private async openDevice(): Promise<Device> {
    const opened = Device.open(this.me.id);
    const timers: Timer[] = [];
    const late = new Promise<null>((resolve) => {
      timers.push(this.world.setTimer(() => resolve(null), deviceTimeoutMs));
    });
    const device = await Promise.race([opened, late]);
    for (const timer of timers) this.world.clearTimer(timer);
    if (device !== null) return device;
    void opened.then((unwanted) => unwanted.close());
    return Device.without();
  }

  private ended(): boolean {
    return this.stopped;
  }

  renewed(token: string): void {
    this.connection.renewed(token);
  }

  retryNow(): void {
    this.outbox.sendNow();
    this.connection.retryNow();
  }

  hear(message: OutboxMessage): void {
    this.outbox.hear(message);
  }

  environmentChanged(event: "online" | "offline" | "visible" | "hidden"): void {
    if (event === "hidden") void this.writer?.flush();
    else if (event === "visible") {
      this.connection.retryNow();
      this.connection.checkLine();
    } else this.connection.networkChanged(event === "online");
  }

  open(roomId: RoomId): () => void {
    this.holds.set(roomId, (this.holds.get(roomId) ?? 0) + 1);
    this.openHeld(roomId);
    let open = true;
    return () => {
      if (!open) return;
      open = false;
      const left = (this.holds.get(roomId) ?? 1) - 1;
      if (left > 0) this.holds.set(roomId, left);
      else {
        this.holds.delete(roomId);
        this.store.dispatch({ type: "room-closed", roomId });
        void this.trim(roomId);
      }
    };
  }

  typing(roomId: RoomId): void {
    const now = this.world.now();
    if (now - (this.typedAtMs.get(roomId) ?? Number.NEGATIVE_INFINITY) < typingEveryMs) return;
    if (this.connection.send({ type: "typing", room_id: roomId })) this.typedAtMs.set(roomId, now);
  }

  /** Ends everything. `forget` also deletes what the device holds. */
  async stop(forget: boolean): Promise<void> {
    this.stopped = true;
    this.connection.stop();
    this.repair.stop();
    this.reads.stop();
    this.outbox.stop();
    for (const timer of [this.eventsTimer, this.typingTimer])
      if (timer !== null) this.world.clearTimer(timer);
    if (forget) this.writer?.stop();
    else await this.writer?.flush();
    this.device?.close();
    if (forget) await Device.delete(this.me.id);
  }

  /** Follows every action, for the parts that keep something in step with the state. */
  readonly note = (action: Action, before: State, now: State): void => {
    if (this.stopped) return;
    this.writer?.note(action, before, now);
    this.outbox.note(action, before, now);
    if (action.type === "rooms-listed" || action.type === "room-joined" || action.type === "device-content") {
      for (const roomId of this.holds.keys()) if (!before.rooms.has(roomId)) this.openHeld(roomId);
    }
  };

  private begin(device: Device, content: DeviceContent): void {
    const { rooms, outbox, ...rest } = content;
    this.device = device;
    this.writer = new DeviceWriter(device, this.store, this.world, rooms);
    this.store.batch(() => {
      this.store.dispatch({ type: "device-content", records: rooms.map(recordOfSaved), ...rest });
      this.outbox.start(device, outbox);
    });
    this.connection.start();
  }

  /** The rooms worth catching up with, and where each is. */
  private positions(): Record<RoomId, Seq> {
    const openedAtMs = (roomId: RoomId) =>
      this.holds.has(roomId) ? Number.POSITIVE_INFINITY : (this.writer?.openedAtMs(roomId) ?? 0);
    const rooms = [...this.store.state().rooms.values()]
      .filter((record) => openedAtMs(record.id) > 0)
      .sort((a, b) => openedAtMs(b.id) - openedAtMs(a.id))
      .slice(0, positionsMax);
    this.named.clear();
    for (const record of rooms) this.named.add(record.id);
    return Object.fromEntries(rooms.map((record) => [record.id, record.position]));
  }

  private lost(code: number): void {
    this.applyEvents();
    this.liveAfter.clear();
    this.outbox.lost(code);
  }

  private receive(frame: ServerFrame): void {
    if (frame.type === "event") {
      this.events.push(frame);
      if (this.eventsTimer !== null) return;
      // The first event after a pause is shown at once; those that follow within a frame wait for its end.
      this.applyEvents();
      this.eventsTimer = this.world.setTimer(() => {
        this.eventsTimer = null;
        this.applyEvents();
      }, frameMs);
      return;
    }
    this.applyEvents();
    this.store.batch(() => this.apply(frame));
  }

  private apply(frame: Exclude<ServerFrame, { type: "event" }>): void {
    switch (frame.type) {
      case "ready":
        this.becomeReady(frame);
        return;
      case "ack":
        this.outbox.acked(frame);
        if (frame.seq !== undefined) {
          this.store.dispatch({ type: "head", roomId: frame.room_id, head: frame.seq });
          this.repair.soon(frame.room_id);
        }
        return;
      case "error":
        this.outbox.refused(frame);
        return;
      case "reset":
        this.resetRoom(frame.room_id, frame.head);
        return;
      case "typing":
        this.store.dispatch({
          type: "typing",
          roomId: frame.room_id,
          user: frame.user,
          nowMs: this.world.now(),
        });
        this.expireTyping();
        return;
      case "presence":
        this.store.dispatch({ type: "presence", userId: frame.user_id, online: frame.online });
        return;
      case "read": {
        const { type, room_id: roomId, ...read } = frame;
        this.store.dispatch({ type, roomId, read });
        return;
      }
      case "joined":
        this.join(frame.room);
        return;
      case "matched":
        this.join(frame.room);
        this.listener.matched(frame.room.id, frame.with);
        return;
      case "left":
        this.store.dispatch({ type: "room-left", roomId: frame.room_id });
        return;
      case "draining":
      case "pong":
        return;
    }
  }

  private becomeReady(frame: Extract<ServerFrame, { type: "ready" }>): void {
    this.reads.connected(frame.rooms);
    this.store.dispatch(
      { type: "me", me: frame.user },
      { type: "rooms-listed", rooms: frame.rooms },
      { type: "online-all", users: frame.users_online },
    );
    for (const room of frame.rooms) {
      this.liveAfter.set(room.id, room.head);
      const record = this.store.state().rooms.get(room.id);
      if (record === undefined) continue;
      if (record.info.value.visibility === "direct" && record.peer === null) {
        this.members.loadPeer(room.id).catch(() => undefined);
      }
      if (record.head <= record.position) continue;
      // The server sends what a room that was named has missed; of others nothing held can be trusted any more.
      if (this.named.has(room.id)) this.repair.soon(room.id);
      else if (this.store.state().open.has(room.id)) this.repair.now(room.id);
      else this.store.dispatch({ type: "reset", roomId: room.id, head: room.head });
    }
    for (const roomId of this.store.state().open.keys()) this.fill(roomId);
    this.outbox.connected();
  }

  private join(room: MemberRoom): void {
    this.store.dispatch({ type: "room-joined", room });
    this.liveAfter.set(room.id, room.head);
    this.repair.soon(room.id);
    if (room.visibility === "direct" && room.peer === null) {
      this.members.loadPeer(room.id).catch(() => undefined);
    }
  }

  /** Over 1,000 events were missed: they are paged through if that is worth it, else the room begins again. */
  private resetRoom(roomId: RoomId, head: Seq): void {
    const record = this.store.state().rooms.get(roomId);
    if (record === undefined) return;
    if (record.known.length === 0 && record.onDevice.length === 0) {
      this.store.dispatch({ type: "reset", roomId, head });
      return;
    }
    this.store.dispatch({ type: "head", roomId, head });
    this.repair.now(roomId);
  }

  private applyEvents(): void {
    const frames = this.events;
    if (frames.length === 0) return;
    this.events = [];
    const byRoom = new Map<RoomId, Extract<ServerFrame, { type: "event" }>["event"][]>();
    for (const { event } of frames) {
      const list = byRoom.get(event.room_id);
      if (list) list.push(event);
      else byRoom.set(event.room_id, [event]);
    }
    this.store.batch(() => {
      for (const [roomId, events] of byRoom) this.store.dispatch({ type: "events", roomId, events });
    });
    for (const [roomId, events] of byRoom) {
      for (const event of events) if (event.kind === "message") this.announce(event.message);
      const record = this.store.state().rooms.get(roomId);
      if (record === undefined) continue;
      if (record.ahead.length > 0) this.repair.now(roomId);
      if (record.log.size > closedEntriesMax) void this.trim(roomId);
    }
  }

  private announce(message: Message): void {
    const { room_id: roomId, seq, sender, body } = message;
    const told = this.liveAfter.get(roomId);
    if (told === undefined || seq <= told) return;
    this.liveAfter.set(roomId, seq);
    if (sender.id === this.me.id || !this.outbox.isLeader) return;
    const mentionsMe = message.mentions_all || message.mentions.includes(this.me.id);
    this.listener.arrived({ roomId, seq, sender, body, mentionsMe });
  }

  private openHeld(roomId: RoomId): void {
    if (!this.store.state().rooms.has(roomId) || this.store.state().open.has(roomId)) return;
    this.reads.opened(roomId);
    this.store.dispatch({ type: "room-opened", roomId });
    this.fill(roomId);
  }

  /** Loads what an open room lacks. What fails is shown by the timeline and tried again with the next connection. */
  private fill(roomId: RoomId): void {
    this.history.open(roomId).catch(() => undefined);
  }

  /** Lets go of what a closed room has beyond its newest numbers, once the device has it. */
  private async trim(roomId: RoomId): Promise<void> {
    const tooLarge = (record: RoomRecord | undefined): record is RoomRecord =>
      record !== undefined && record.log.size > closedEntriesMax && !this.holds.has(roomId);
    if (!tooLarge(this.store.state().rooms.get(roomId))) return;
    await this.writer?.flush();
    const record = this.store.state().rooms.get(roomId);
    if (this.stopped || !tooLarge(record)) return;
    this.store.dispatch({ type: "trim", roomId, from: after(record.position, -closedNumbersKept) });
  }

  private expireTyping(): void {
    this.typingTimer ??= this.world.setTimer(() => {
      this.typingTimer = null;
      this.store.dispatch({ type: "typing-expired", nowMs: this.world.now() });
      if (this.store.state().typing.size > 0) this.expireTyping();
    }, typingMs);
  }
}
