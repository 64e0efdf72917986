import { after, noSeq, type RoomId, type Seq } from "../protocol/ids";
import type { Device, RoomChanges, SavedRecord, SavedRoom } from "./device";
import { emptyLog, entryAt, newestFirst, newestMessageEntry, putEntries, type LogEntry } from "./log";
import { addRange, covers, noRanges, type RangeSet } from "./ranges";
import type { Action } from "./reducer";
import { memberCount } from "./room-record";
import { meOf, type RoomRecord, type State } from "./state";
import type { StoreAccess } from "./store";
import { unreadOf } from "./unread";
import type { Timer, World } from "./world";

/** Changes are saved together, this long after the first of them: nothing of it is in the way of a frame. */
export const saveDelayMs = 500;

/** What waits to be saved of one room. */
interface Dirty {
  entries: Map<Seq, LogEntry>;
  known: RangeSet;
  reset: boolean;
}

/** What the device is to keep of a room beside its summary: rooms are kept from when they are first opened here. */
interface Kept {
  basePosition: Seq;
  openedAtMs: number;
}

/** A room as it was saved, ready to be shown: its summary is here, its entries are on the device. */
export function recordOfSaved(saved: SavedRoom): RoomRecord {
  const { known, openedAtMs, newest, ...record } = saved;
  return {
    ...record,
    comings: new Map(),
    ahead: noRanges,
    known: noRanges,
    onDevice: known,
    log: newest === null ? emptyLog : putEntries(emptyLog, [newest]),
  };
}

/**
 * Copies to the device what happens to rooms, behind the screen's back. It watches actions, notes what they brought, and
 * saves it in batches; entries are saved only of rooms that were opened on this device.
 */
export class DeviceWriter {
  private readonly dirty = new Map<RoomId, Dirty>();
  private readonly gone = new Set<RoomId>();
  private readonly kept = new Map<RoomId, Kept>();
  private readonly anchors = new Set<RoomId>();
  private timer: Timer | null = null;
  private saving: Promise<void> = Promise.resolve();

  constructor(
    private readonly device: Device,
    private readonly store: StoreAccess,
    private readonly world: Pick<World, "now" | "setTimer" | "clearTimer">,
    saved: readonly SavedRoom[],
  ) {
    for (const room of saved) {
      if (room.openedAtMs === 0) continue;
      this.kept.set(room.id, { basePosition: room.position, openedAtMs: room.openedAtMs });
    }
  }

  /** When a room was last opened on this device; 0 is never. */
  openedAtMs(roomId: RoomId): number {
    return this.kept.get(roomId)?.openedAtMs ?? 0;
  }

  /** Notes what an action brought; to be called after every action. */
  readonly note = (action: Action, before: State, now: State): void => {
    switch (action.type) {
      case "rooms-listed":
        for (const roomId of before.rooms.keys()) if (!now.rooms.has(roomId)) this.forget(roomId);
        for (const roomId of now.rooms.keys()) this.touch(roomId);
        return;
      case "room-left":
        this.forget(action.roomId);
        // Whoever was removed has no right to it any more, after a reload neither.
        void this.flush();
        return;
      case "room-joined":
        this.touch(action.room.id);
        return;
      case "events":
        this.noteSpan(
          now,
          action.roomId,
          action.events.map((event) => event.seq),
        );
        this.noteEntries(now, action.roomId, action.events.map(seqOfEvent));
        return;
      case "changes":
        this.noteRange(now, action.roomId, after(action.afterSeq), action.to);
        this.noteEntries(now, action.roomId, action.events.map(seqOfEvent));
        return;
      case "page":
        this.noteRange(now, action.roomId, action.from, action.to < action.head ? action.to : action.head);
        this.noteEntries(
          now,
          action.roomId,
          action.messages.map((message) => message.seq),
        );
        return;
      case "message":
        this.noteEntries(now, action.message.room_id, [action.message.seq]);
        return;
      case "reset":
        this.noteReset(now, action.roomId);
        return;
      case "room-opened":
        this.noteOpened(now, action.roomId);
        return;
      case "draft":
        // At once: it exists nowhere else, and the page may be on its way out.
        void this.device.setDraft(action.roomId, now.drafts.get(action.roomId) ?? null);
        return;
      case "anchor":
        this.anchors.add(action.roomId);
        this.schedule();
        return;
      case "blocked":
        void this.device.setBlocked(action.userId, action.blocked);
        return;
      case "read":
      case "mark-read":
      case "mark-unread":
      case "notify":
      case "peer":
        this.touch(action.roomId);
        return;
      default:
        return;
    }
  };

  /** Saves now what waits; resolves when all that was noted before the call is on the device. */
  flush(): Promise<void> {
    if (this.timer !== null) this.world.clearTimer(this.timer);
    this.timer = null;
    this.saving = this.saving.then(() => this.save());
    return this.saving;
  }

  /** Saves nothing more. */
  stop(): void {
    if (this.timer !== null) this.world.clearTimer(this.timer);
    this.timer = null;
    this.dirty.clear();
    this.gone.clear();
    this.anchors.clear();
  }

  private touch(roomId: RoomId): Dirty {
    let dirty = this.dirty.get(roomId);
    if (dirty === undefined) {
      dirty = { entries: new Map(), known: noRanges, reset: false };
      this.dirty.set(roomId, dirty);
    }
    this.schedule();
    return dirty;
  }

  private schedule(): void {
    this.timer ??= this.world.setTimer(() => {
      this.timer = null;
      void this.flush();
    }, saveDelayMs);
  }

  private noteEntries(state: State, roomId: RoomId, seqs: readonly (Seq | null)[]): void {
    const record = state.rooms.get(roomId);
    if (record === undefined) return;
    const dirty = this.touch(roomId);
    if (!this.kept.has(roomId)) return;
    for (const seq of seqs) {
      const entry = seq === null ? undefined : entryAt(record.log, seq);
      if (entry !== undefined) dirty.entries.set(entry.seq, entry);
    }
  }

  private noteRange(state: State, roomId: RoomId, from: Seq, to: Seq): void {
    const record = state.rooms.get(roomId);
    if (record === undefined || !this.kept.has(roomId) || from > to) return;
    const dirty = this.touch(roomId);
    // Only what was taken as known is saved as known: a page from before the floor was not, the lower part of one of
    // changes neither.
    const start = covers(record.known, from, to) || from > record.floor ? from : after(record.floor);
    if (start > to || !covers(record.known, start, to)) return;
    dirty.known = addRange(dirty.known, start, to);
  }

  private noteSpan(state: State, roomId: RoomId, seqs: readonly Seq[]): void {
    for (const seq of seqs) this.noteRange(state, roomId, seq, seq);
  }

  private noteAll(record: RoomRecord, dirty: Dirty): void {
    dirty.entries = new Map([...newestFirst(record.log, noSeq)].map((entry) => [entry.seq, entry]));
    dirty.known = record.known;
  }

  private noteReset(state: State, roomId: RoomId): void {
    const record = state.rooms.get(roomId);
    if (record === undefined) return;
    const dirty = this.touch(roomId);
    const kept = this.kept.get(roomId);
    if (kept === undefined) return;
    dirty.reset = true;
    kept.basePosition = record.position;
    this.noteAll(record, dirty);
  }

  private noteOpened(state: State, roomId: RoomId): void {
    const record = state.rooms.get(roomId);
    if (record === undefined) return;
    const dirty = this.touch(roomId);
    const kept = this.kept.get(roomId);
    if (kept !== undefined) {
      kept.openedAtMs = this.world.now();
      return;
    }
    this.kept.set(roomId, { basePosition: record.position, openedAtMs: this.world.now() });
    // Nothing of it is on the device yet, so what memory holds is all there is to keep.
    dirty.reset = true;
    this.noteAll(record, dirty);
  }

  private forget(roomId: RoomId): void {
    this.touch(roomId);
    this.dirty.delete(roomId);
    this.kept.delete(roomId);
    this.gone.add(roomId);
  }

  private async save(): Promise<void> {
    const state = this.store.state();
    const changes: RoomChanges[] = [];
    for (const [roomId, dirty] of this.dirty) {
      const record = state.rooms.get(roomId);
      const me = meOf(state);
      if (record === undefined || me === null) continue;
      this.gone.delete(roomId);
      const kept = this.kept.get(roomId);
      changes.push({
        record: savedRecord(record, me.id),
        newest: newestMessageEntry(record.log) ?? null,
        openedAtMs: kept?.openedAtMs ?? 0,
        basePosition: kept?.basePosition ?? record.position,
        reset: dirty.reset,
        entries: [...dirty.entries.values()],
        known: dirty.known,
      });
      if (kept !== undefined) kept.basePosition = record.position;
    }
    const gone = [...this.gone];
    const written = [...this.anchors].map((roomId) =>
      this.device.setAnchor(roomId, state.anchors.get(roomId) ?? null),
    );
    this.dirty.clear();
    this.gone.clear();
    this.anchors.clear();
    await Promise.all(written);
    if (changes.length === 0 && gone.length === 0) return;
    const saved = await this.device.saveRooms(changes, gone);
    this.store.dispatch(
      ...saved
        .filter(({ roomId }) => this.kept.has(roomId))
        .map(({ roomId, known }) => ({ type: "device-saved", roomId, known }) as const),
    );
  }
}

function seqOfEvent(event: { seq: Seq; message?: { seq: Seq } }): Seq {
  return event.message?.seq ?? event.seq;
}

/**
 * The summary of a room as of its position. Counts are made good for that number, because the entries that they were
 * corrected by are not in memory after a reload.
 */
function savedRecord(record: RoomRecord, me: Parameters<typeof unreadOf>[1]): SavedRecord {
  const { id, info, membership, notify, peer, read, head, position, floor } = record;
  return {
    id,
    info,
    members: { at: position, value: memberCount(record) },
    membership,
    notify,
    peer,
    read,
    counts: { at: position, value: { ...read, ...unreadOf(record, me) } },
    head,
    position,
    floor,
  };
}
