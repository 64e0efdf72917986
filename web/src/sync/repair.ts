import * as decoders from "../protocol/decode";
import type { RoomId, Seq } from "../protocol/ids";
import { Problem } from "../protocol/problem";
import { backoffMs } from "./backoff";
import { changesPerPage, throughOf } from "./history";
import type { HttpClient } from "./http-client";
import type { RoomRecord } from "./state";
import type { StoreAccess } from "./store";
import type { Timer, World } from "./world";

/** Up to this many missed events are paged through; of more, the room begins again at its newest page. */
export const repairEventsMax = 5_000;

/** Rooms repaired at a time. */
const repairsAtOnce = 4;

/** What the server has promised to send by itself gets this long to arrive. */
export const graceMs = 3_000;

/**
 * Closes gaps: whenever a room's head is beyond its position, what lies between is asked for, from the position on and
 * until there is no gap. Numbers for which the server has no event are void.
 */
export class Repair {
  private readonly running = new Set<RoomId>();
  private readonly waiting = new Set<RoomId>();
  private readonly timers = new Map<RoomId, Timer>();
  private readonly attempts = new Map<RoomId, number>();
  private stopped = false;

  constructor(
    private readonly world: Pick<World, "setTimer" | "clearTimer" | "random">,
    private readonly store: StoreAccess,
    private readonly http: HttpClient,
    /** Begins a room again at a head. */
    private readonly restart: (roomId: RoomId, head: Seq) => Promise<void>,
  ) {}

  /** A number beyond the position was seen: whatever lies between is missing. */
  now(roomId: RoomId): void {
    if (this.stopped || this.running.has(roomId) || !hasGap(this.store.state().rooms.get(roomId))) return;
    this.cancel(roomId);
    if (this.running.size >= repairsAtOnce) {
      this.waiting.add(roomId);
      return;
    }
    this.running.add(roomId);
    void this.run(roomId);
  }

  /** The head is known to be further on, and the events should be on their way. */
  soon(roomId: RoomId, delayMs = graceMs): void {
    if (this.stopped || this.timers.has(roomId) || this.running.has(roomId)) return;
    if (!hasGap(this.store.state().rooms.get(roomId))) return;
    const timer = this.world.setTimer(() => {
      this.timers.delete(roomId);
      this.now(roomId);
    }, delayMs);
    this.timers.set(roomId, timer);
  }

  stop(): void {
    this.stopped = true;
    for (const roomId of [...this.timers.keys()]) this.cancel(roomId);
    this.waiting.clear();
  }

  private cancel(roomId: RoomId): void {
    const timer = this.timers.get(roomId);
    if (timer !== undefined) this.world.clearTimer(timer);
    this.timers.delete(roomId);
  }

  private async run(roomId: RoomId): Promise<void> {
    let retryable = true;
    let failed = false;
    try {
      await this.closeGap(roomId);
      this.attempts.delete(roomId);
    } catch (cause) {
      failed = true;
      // A room that I left or that is hidden from me has nothing to repair.
      retryable = !(cause instanceof Problem) || cause.retryable || cause.code === "unreadable";
    }
    this.running.delete(roomId);
    if (failed && retryable) {
      const attempt = this.attempts.get(roomId) ?? 0;
      this.attempts.set(roomId, attempt + 1);
      this.soon(roomId, 1_000 + backoffMs(attempt, this.world.random()));
    }
    if (!failed) this.now(roomId);
    const [next] = this.waiting;
    if (next !== undefined) {
      this.waiting.delete(next);
      this.now(next);
    }
  }

  private async closeGap(roomId: RoomId): Promise<void> {
    for (;;) {
      const record = this.store.state().rooms.get(roomId);
      if (this.stopped || !hasGap(record)) return;
      const afterSeq = record.position;
      if (missing(record) > repairEventsMax) {
        await this.restart(roomId, record.head);
        return;
      }
      const page = await this.http.call(decoders.changePage, `/rooms/${encodeURIComponent(roomId)}/changes`, {
        query: { after: afterSeq, limit: changesPerPage },
      });
      const to = throughOf(page);
      if (to === undefined || to <= afterSeq) {
        // The server does not know yet of what it has announced; its word is asked for again, later.
        throw new Problem("unavailable", "the server's log ends before the room's head");
      }
      this.store.dispatch({ type: "changes", roomId, events: page.events, afterSeq, to, head: page.head });
    }
  }
}

function hasGap(record: RoomRecord | undefined): record is RoomRecord {
  return record !== undefined && record.head > record.position;
}

/** How many numbers are missing between the position and the head. */
function missing(record: RoomRecord): number {
  const ahead = record.ahead.reduce((sum, range) => sum + range.to - range.from + 1, 0);
  return record.head - record.position - ahead;
}
