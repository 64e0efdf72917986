import type { ClientFrame, ServerFrame } from "../protocol/frames";
import { newMessageId, type MessageId, type RoomId } from "../protocol/ids";
import type { Attachment } from "../protocol/model";
import type { ErrorCode } from "../protocol/problem";
import { backoffMs } from "./backoff";
import type { Device } from "./device";
import { queuedOf } from "./outbox-state";
import type { Action } from "./reducer";
import type { QueuedMessage, State } from "./state";
import type { StoreAccess } from "./store";
import type { Draft } from "./views";
import type { Timer, World } from "./world";

/** An answer that takes longer is taken for lost; the same id is sent again, so asking twice is harmless. */
const answerTimeoutMs = 15_000;

/** How often the server may say `internal` to one message before it counts as refused. */
const internalErrorsMax = 5;

/** Refusals that are about the moment, not the message. */
const passing: ReadonlySet<ErrorCode> = new Set([
  "rate_limited",
  "unavailable",
  "internal",
  "unauthenticated",
]);

/** What pages of one browser tell each other about the outbox, which they share on the device. */
export type OutboxMessage =
  { type: "outbox-put"; entry: QueuedMessage } | { type: "outbox-drop"; id: MessageId };

/** What the outbox needs of the engine. */
export interface OutboxLine {
  readonly isReady: boolean;
  send(frame: ClientFrame): boolean;
  checkLine(): void;
  retryNow(): void;
}

/**
 * Messages on their way. Each is on the device before it is first sent, keeps its id for every attempt, and leaves when
 * the room's log has it. A room has one message in flight, so that a refusal cannot reorder those behind it.
 *
 * Of all pages of a browser one sends: the one that holds the lock. The others put messages onto the device and tell it.
 * Without locks every page sends what it has; the server then drops the repeats, by id.
 */
export class Outbox {
  private device: Device | null = null;
  private leads = false;
  private readonly inFlight = new Map<RoomId, { id: MessageId; timer: Timer }>();
  /** May have reached the server already: to be marked as a resend. */
  private readonly attempted = new Set<MessageId>();
  /** On the screen, not yet on the device: not sent before it is. */
  private readonly unsaved = new Set<MessageId>();
  /** Acked, but the number is not known and its event may have been missed: asked for by a resend. */
  private readonly unnumbered = new Set<MessageId>();
  private readonly internalErrors = new Map<MessageId, number>();
  private pauses = 0;
  private pauseTimer: Timer | null = null;
  private lastOrder = 0;
  private stopped = false;
  private readonly endLock = new AbortController();

  constructor(
    private readonly world: Pick<
      World,
      "now" | "setTimer" | "clearTimer" | "random" | "randomBytes" | "locks"
    >,
    private readonly store: StoreAccess,
    private readonly line: OutboxLine,
    private readonly tell: (message: OutboxMessage) => void,
    private readonly lockName: string,
  ) {}

  /** Whether this page sends for all pages of the browser. */
  get isLeader(): boolean {
    return this.leads;
  }

  /**
   * Takes over what an earlier run of the page left, and sends once this page holds the lock. What was written while the
   * device was being opened comes after what it held.
   */
  start(device: Device, saved: readonly QueuedMessage[]): void {
    this.device = device;
    const written = [...this.store.state().outbox.values()].flat();
    this.store.dispatch({ type: "outbox", entries: [...saved, ...written] });
    for (const entry of written) void this.save(device, entry);
    if (this.world.locks === null) {
      this.lead(saved);
      return;
    }
    this.world.locks
      .request(this.lockName, { signal: this.endLock.signal }, async () => {
        // What the page before left on the device, perhaps in the middle of sending.
        const left = await device.loadOutbox();
        if (this.stopped) return;
        for (const entry of left) {
          const held = queuedOf(this.store.state(), entry.id);
          if (held === undefined) this.store.dispatch({ type: "outbox-put", entry });
        }
        this.lead(left);
        await new Promise<void>((resolve) => {
          this.endLock.signal.addEventListener("abort", () => resolve());
        });
      })
      .catch(() => undefined);
  }

  stop(): void {
    this.stopped = true;
    this.leads = false;
    this.endLock.abort();
    for (const { timer } of this.inFlight.values()) this.world.clearTimer(timer);
    this.inFlight.clear();
    if (this.pauseTimer !== null) this.world.clearTimer(this.pauseTimer);
    this.pauseTimer = null;
  }

  /** Puts a message into the outbox: on the screen now, on the device next, and then on its way. */
  send(
    roomId: RoomId,
    message: { body: string; replyTo?: MessageId | null; attachments?: readonly Attachment[] },
  ): MessageId {
    const now = this.world.now();
    // Ascending also when the clock steps back, and when two are written within a millisecond.
    this.lastOrder = Math.max(this.lastOrder + 1, now * 1_000);
    const entry: QueuedMessage = {
      id: newMessageId(now, (bytes) => this.world.randomBytes(bytes)),
      roomId,
      body: message.body,
      replyTo: message.replyTo ?? null,
      attachments: message.attachments ?? [],
      createdAt: new Date(now).toISOString(),
      problem: null,
      order: this.lastOrder,
      stage: "queued",
    };
    this.unsaved.add(entry.id);
    this.store.dispatch({ type: "outbox-put", entry });
    if (this.device !== null) void this.save(this.device, entry);
    return entry.id;
  }

  private async save(device: Device, entry: QueuedMessage): Promise<void> {
    await device.putQueued(entry);
    this.unsaved.delete(entry.id);
    // It may have been discarded meanwhile; then nobody else is to hear of it.
    if (queuedOf(this.store.state(), entry.id) !== undefined) this.tell({ type: "outbox-put", entry });
    this.pump();
  }

  /** A person does not want to wait. */
  sendNow(): void {
    this.resume();
    this.line.retryNow();
    this.pump();
  }

  /** Takes a message out, unless the server has it for good. */
  discard(id: MessageId): QueuedMessage | null {
    const entry = queuedOf(this.store.state(), id);
    if (entry === undefined || entry.stage === "acked") return null;
    this.store.dispatch({ type: "outbox-drop", id });
    this.tell({ type: "outbox-drop", id });
    return entry;
  }

  takeBack(id: MessageId): Draft | null {
    const entry = this.discard(id);
    return entry === null ? null : { text: entry.body, replyTo: entry.replyTo };
  }

  /** Another page of this browser changed the outbox. */
  hear(message: OutboxMessage): void {
    if (message.type === "outbox-drop") {
      this.store.dispatch({ type: "outbox-drop", id: message.id });
      return;
    }
    // An entry that this page has let go of has its number already: only new ones are new.
    const held = queuedOf(this.store.state(), message.entry.id);
    if (held === undefined && message.entry.stage !== "queued") return;
    this.store.dispatch({ type: "outbox-put", entry: message.entry });
    this.pump();
  }

  /** Keeps the device and the flight list in step with the state; to be called after every action. */
  readonly note = (_action: Action, before: State, now: State): void => {
    if (before.outbox === now.outbox) return;
    const gone = [...before.outbox.values()].flat().filter(({ id }) => queuedOf(now, id) === undefined);
    if (gone.length === 0) return;
    for (const { id, roomId } of gone) {
      this.land(roomId, id);
      this.attempted.delete(id);
      this.unnumbered.delete(id);
      this.internalErrors.delete(id);
    }
    void this.device?.deleteQueued(gone.map(({ id }) => id));
    this.pump();
  };

  connected(): void {
    this.pump();
  }

  /** The socket is gone, and with it every answer that was awaited. */
  lost(code: number): void {
    for (const [roomId, { id }] of [...this.inFlight]) {
      this.land(roomId, id);
      if (code === 4413) this.refuse(id, "too_large", "");
    }
    for (const entries of this.store.state().outbox.values()) {
      for (const { id, stage } of entries) if (stage === "acked") this.unnumbered.add(id);
    }
  }

  acked({ id, seq }: Extract<ServerFrame, { type: "ack" }>): void {
    const entry = queuedOf(this.store.state(), id);
    if (entry === undefined) return;
    this.land(entry.roomId, id);
    this.unnumbered.delete(id);
    this.pauses = 0;
    this.store.dispatch({ type: "outbox-acked", id, seq });
    this.keep(id);
    this.pump();
  }

  /** The server refused a frame; returns false if it was none of the outbox's. */
  refused(frame: Extract<ServerFrame, { type: "error" }>): boolean {
    const entry = frame.id === undefined ? undefined : queuedOf(this.store.state(), frame.id);
    if (entry === undefined) return false;
    this.land(entry.roomId, entry.id);
    if (!passing.has(frame.code) || this.tooOftenInternal(entry.id, frame.code)) {
      this.refuse(entry.id, frame.code, frame.detail);
      this.pump();
      return true;
    }
    this.pause(frame.retry_after_ms ?? backoffMs(this.pauses, this.world.random()));
    this.pauses++;
    return true;
  }

  private tooOftenInternal(id: MessageId, code: ErrorCode): boolean {
    if (code !== "internal") return false;
    const times = (this.internalErrors.get(id) ?? 0) + 1;
    this.internalErrors.set(id, times);
    return times >= internalErrorsMax;
  }

  private refuse(id: MessageId, code: ErrorCode, detail: string): void {
    this.store.dispatch({ type: "outbox-refused", id, problem: { code, detail } });
    this.keep(id);
  }

  /** Saves what an entry has become, and tells the other pages. */
  private keep(id: MessageId): void {
    const entry = queuedOf(this.store.state(), id);
    if (entry === undefined) return;
    void this.device?.putQueued(entry);
    this.tell({ type: "outbox-put", entry });
  }

  /** Sends from now on. What an earlier leader left may have reached the server. */
  private lead(left: readonly QueuedMessage[]): void {
    this.leads = true;
    for (const { id, stage } of left) {
      if (this.unsaved.has(id)) continue;
      this.attempted.add(id);
      if (stage === "acked") this.unnumbered.add(id);
    }
    this.pump();
  }

  private pause(forMs: number): void {
    const untilMs = this.world.now() + forMs;
    if (this.pauseTimer !== null) this.world.clearTimer(this.pauseTimer);
    this.store.dispatch({ type: "outbox-paused", untilMs });
    this.pauseTimer = this.world.setTimer(() => {
      this.pauseTimer = null;
      this.resume();
      this.pump();
    }, forMs);
  }

  private resume(): void {
    if (this.pauseTimer !== null) this.world.clearTimer(this.pauseTimer);
    this.pauseTimer = null;
    if (this.store.state().outboxPausedUntilMs !== null) {
      this.store.dispatch({ type: "outbox-paused", untilMs: null });
    }
  }

  /** Sends the first message of every room that has none in flight. */
  private pump(): void {
    if (!this.leads || !this.line.isReady || this.store.state().outboxPausedUntilMs !== null) return;
    for (const [roomId, entries] of this.store.state().outbox) {
      if (this.inFlight.has(roomId)) continue;
      const next = entries.find(
        ({ id, stage }) => stage === "queued" || (stage === "acked" && this.unnumbered.has(id)),
      );
      if (next !== undefined && !this.unsaved.has(next.id)) this.transmit(next);
    }
  }

  private transmit(entry: QueuedMessage): void {
    const { id, roomId } = entry;
    const sent = this.line.send({
      type: "send",
      room_id: roomId,
      id,
      body: entry.body,
      ...(entry.replyTo === null ? {} : { reply_to: entry.replyTo }),
      ...(entry.attachments.length === 0
        ? {}
        : { attachment_ids: entry.attachments.map((attachment) => attachment.id) }),
      ...(this.attempted.has(id) ? { resend: true } : {}),
    });
    if (!sent) return;
    this.attempted.add(id);
    const timer = this.world.setTimer(() => {
      this.land(roomId, id);
      this.line.checkLine();
      this.pump();
    }, answerTimeoutMs);
    this.inFlight.set(roomId, { id, timer });
  }

  private land(roomId: RoomId, id: MessageId): void {
    const flight = this.inFlight.get(roomId);
    if (flight?.id !== id) return;
    this.world.clearTimer(flight.timer);
    this.inFlight.delete(roomId);
  }
}
