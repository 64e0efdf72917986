import * as decoders from "../protocol/decode";
import type { ClientFrame } from "../protocol/frames";
import { after, type RoomId, type Seq } from "../protocol/ids";
import type { MemberRoom, Notify } from "../protocol/model";
import type { HttpClient } from "./http-client";
import { newestFirst } from "./log";
import { covers } from "./ranges";
import type { RoomRecord } from "./state";
import type { StoreAccess } from "./store";
import type { Timer, World } from "./world";

/** Read marks are told to the server this often at most. */
export const readEveryMs = 1_000;

/** How far I have read: counted here at once, told to the server in time. */
export class ReadMarks {
  private readonly waiting = new Map<RoomId, Seq>();
  /** Marked unread by hand: reading on does not undo it. */
  private readonly held = new Set<RoomId>();
  private timer: Timer | null = null;

  constructor(
    private readonly world: Pick<World, "setTimer" | "clearTimer">,
    private readonly store: StoreAccess,
    private readonly http: HttpClient,
    private readonly send: (frame: ClientFrame) => boolean,
  ) {}

  /** The room was opened again: what is seen now is read. */
  opened(roomId: RoomId): void {
    this.held.delete(roomId);
  }

  markRead(roomId: RoomId, seq: Seq): void {
    const record = this.store.state().rooms.get(roomId);
    if (record === undefined || this.held.has(roomId)) return;
    const upTo = seq < record.head ? seq : record.head;
    if (upTo <= record.read.read_seq && record.read.unread_from === null) return;
    // The server does not clear a mark of a lower number than it has.
    const mark = upTo > record.read.read_seq ? upTo : record.read.read_seq;
    const news = isNews(record, mark);
    this.store.dispatch({ type: "mark-read", roomId, seq: mark });
    if (!news) return;
    this.waiting.set(roomId, mark);
    if (this.timer !== null) return;
    this.flush();
    this.timer = this.world.setTimer(() => {
      this.timer = null;
      this.flush();
    }, readEveryMs);
  }

  async markUnreadFrom(roomId: RoomId, from: Seq): Promise<void> {
    this.held.add(roomId);
    this.waiting.delete(roomId);
    const before = this.store.state().rooms.get(roomId)?.read;
    this.store.dispatch({ type: "mark-unread", roomId, from });
    try {
      const read = await this.http.call(decoders.readState, `${path(roomId)}/read`, {
        method: "PUT",
        body: { unread_from: from },
      });
      this.store.dispatch({ type: "read", roomId, read });
    } catch (problem) {
      this.held.delete(roomId);
      if (before !== undefined) this.store.dispatch({ type: "mark-read", roomId, seq: before.read_seq });
      throw problem;
    }
  }

  async setNotify(roomId: RoomId, notify: Notify): Promise<void> {
    const before = this.store.state().rooms.get(roomId)?.notify;
    this.store.dispatch({ type: "notify", roomId, notify });
    try {
      await this.http.tell(`${path(roomId)}/notify`, { method: "PUT", body: { notify } });
    } catch (problem) {
      if (before !== undefined) this.store.dispatch({ type: "notify", roomId, notify: before });
      throw problem;
    }
  }

  /** A new connection: what was read while there was none is told now. */
  connected(rooms: readonly MemberRoom[]): void {
    for (const room of rooms) {
      const read = this.store.state().rooms.get(room.id)?.read;
      if (read !== undefined && read.read_seq > room.read_seq) this.waiting.set(room.id, read.read_seq);
    }
    this.flush();
  }

  stop(): void {
    if (this.timer !== null) this.world.clearTimer(this.timer);
    this.timer = null;
    this.waiting.clear();
  }

  private flush(): void {
    for (const [roomId, seq] of [...this.waiting]) {
      if (!this.send({ type: "read", room_id: roomId, seq })) return;
      this.waiting.delete(roomId);
    }
  }
}

/**
 * Whether a mark makes anything read. Most numbers of a busy room are moods and reactions, which were never unread: every
 * reader would tell the server of each.
 */
function isNews(record: RoomRecord, mark: Seq): boolean {
  const from = after(record.read.read_seq);
  if (record.read.unread_from !== null || !covers(record.known, from, mark)) return true;
  const [newest] = newestFirst(record.log, from);
  return newest !== undefined;
}

function path(roomId: RoomId): string {
  return `/rooms/${encodeURIComponent(roomId)}`;
}
