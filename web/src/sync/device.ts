import { deleteDB, openDB, type DBSchema, type IDBPDatabase, type IDBPTransaction } from "idb";
import { after, noSeq, type MessageId, type RoomId, type Seq, type UserId } from "../protocol/ids";
import type { Config, Me } from "../protocol/model";
import { isLaterEntry, type LogEntry } from "./log";
import { addRange, dropBelow, noRanges, rangeAt, type Range, type RangeSet } from "./ranges";
import type { QueuedMessage, RoomRecord } from "./state";
import type { Draft, ScrollAnchor } from "./views";
import { UrgentDrafts } from "./urgent-drafts";

/** Of a room that was opened here, the device keeps its newest numbers, at most this many… */
export const keptNumbersMax = 5_000;

/** …and lets them grow by this many before it cuts, so that cutting is rare. */
const keptNumbersSlack = 500;

/** How many numbers one read from the device spans. */
export const devicePageSpan = 200;

/** What is kept of a room beside its entries. */
export type SavedRecord = Pick<
  RoomRecord,
  | "id"
  | "info"
  | "members"
  | "membership"
  | "notify"
  | "peer"
  | "read"
  | "counts"
  | "head"
  | "position"
  | "floor"
>;

/** A room as the device keeps it. `position`, `floor` and `known` speak of the entries that the device holds. */
export interface SavedRoom extends SavedRecord {
  /** The numbers of which everything is here; none of a room that was never opened on this device. */
  known: RangeSet;
  /** When it was last opened here, as `Date.now()`; 0 is never. */
  openedAtMs: number;
  /** The newest entry, for the list of rooms. */
  newest: LogEntry | null;
}

/** What changed in a room since it was last saved. */
export interface RoomChanges {
  record: SavedRecord;
  newest: LogEntry | null;
  openedAtMs: number;
  /** Where the device was, as far as this page knows, before these changes. */
  basePosition: Seq;
  /** Everything the device holds of it is to go first. */
  reset: boolean;
  entries: readonly LogEntry[];
  known: readonly Range[];
}

/** A stretch of a room from the device: every entry there is from `from` to `to`, as of `position`. */
export interface DevicePage {
  entries: readonly LogEntry[];
  from: Seq;
  to: Seq;
  position: Seq;
}

/** Everything that is needed to show something before the server has answered. */
export interface DeviceContent {
  rooms: readonly SavedRoom[];
  outbox: readonly QueuedMessage[];
  drafts: readonly { roomId: RoomId; draft: Draft }[];
  anchors: readonly { roomId: RoomId; anchor: ScrollAnchor }[];
  blocked: readonly UserId[];
}

interface StoredEntry {
  roomId: RoomId;
  seq: Seq;
  entry: LogEntry;
}

interface PersonSchema extends DBSchema {
  rooms: { key: RoomId; value: SavedRoom };
  entries: { key: [RoomId, Seq]; value: StoredEntry };
  outbox: { key: MessageId; value: QueuedMessage };
  drafts: { key: RoomId; value: { roomId: RoomId; draft: Draft } };
  anchors: { key: RoomId; value: { roomId: RoomId; anchor: ScrollAnchor } };
  blocked: { key: UserId; value: UserId };
}

interface SharedSchema extends DBSchema {
  values: { key: string; value: unknown };
}

const sharedName = "blabber-hive";
const personVersion = 1;

function personName(userId: UserId): string {
  return `blabber-hive-${userId}`;
}

/**
 * Steps from any older version. Rooms and entries are a copy of what the server has and may be dropped by a step; outbox
 * and drafts exist nowhere else and never may.
 */
function upgradePerson(db: IDBPDatabase<PersonSchema>, from: number): void {
  if (from < 1) {
    db.createObjectStore("rooms", { keyPath: "id" });
    db.createObjectStore("entries", { keyPath: ["roomId", "seq"] });
    db.createObjectStore("outbox", { keyPath: "id" });
    db.createObjectStore("drafts", { keyPath: "roomId" });
    db.createObjectStore("anchors", { keyPath: "roomId" });
    db.createObjectStore("blocked");
  }
}

/** All entries of a room from one number to another. */
function span(roomId: RoomId, from: Seq, to: Seq): IDBKeyRange {
  return IDBKeyRange.bound([roomId, from], [roomId, to]);
}

function spanOfRoom(roomId: RoomId): IDBKeyRange {
  return span(roomId, noSeq, Number.MAX_SAFE_INTEGER as Seq);
}

/**
 * What this device keeps of one person. Every method works without a database too, by holding nothing: the page then
 * lives in memory alone. A database that fails is not asked again, since half of a truth is worse than none.
 */
export class Device {
  private constructor(
    private db: IDBPDatabase<PersonSchema> | null,
    private readonly urgent: UrgentDrafts | null,
  ) {}

  /** A device that keeps nothing. */
  static without(): Device {
    return new Device(null, null);
  }

  static async open(userId: UserId): Promise<Device> {
    const device = new Device(null, new UrgentDrafts(userId));
    try {
      device.db = await openDB<PersonSchema>(personName(userId), personVersion, {
        upgrade: (db, from) => upgradePerson(db, from),
        // Another page wants a newer version, or to delete all: it must not wait for this one.
        blocking: () => device.close(),
        terminated: () => device.close(),
      });
    } catch {
      device.db = null;
    }
    return device;
  }

  /** Deletes everything the device holds of a person. */
  static async delete(userId: UserId): Promise<void> {
    new UrgentDrafts(userId).clear();
    try {
      await deleteDB(personName(userId));
    } catch {
      // Without a database there is nothing to delete.
    }
  }

  /** Whether what is saved here will be here after a reload. */
  get durable(): boolean {
    return this.db !== null;
  }

  close(): void {
    this.db?.close();
    this.db = null;
  }

  /** Runs `work` on the database, or returns `otherwise` when there is none or it fails. */
  private async use<T>(work: (db: IDBPDatabase<PersonSchema>) => Promise<T>, otherwise: T): Promise<T> {
    if (this.db === null) return otherwise;
    try {
      return await work(this.db);
    } catch {
      this.close();
      return otherwise;
    }
  }

  load(): Promise<DeviceContent> {
    const nothing: DeviceContent = { rooms: [], outbox: [], drafts: [], anchors: [], blocked: [] };
    return this.use(async (db) => {
      const tx = db.transaction(["rooms", "outbox", "drafts", "anchors", "blocked"]);
      const [rooms, outbox, drafts, anchors, blocked] = await Promise.all([
        tx.objectStore("rooms").getAll(),
        tx.objectStore("outbox").getAll(),
        tx.objectStore("drafts").getAll(),
        tx.objectStore("anchors").getAll(),
        tx.objectStore("blocked").getAll(),
      ]);
      const urgent = this.urgent?.waiting() ?? [];
      for (const { roomId, draft } of urgent) void this.setDraft(roomId, draft);
      const late = new Map(urgent.map(({ roomId, draft }) => [roomId, draft]));
      return {
        rooms,
        outbox,
        drafts: [
          ...drafts.filter(({ roomId }) => !late.has(roomId)),
          ...urgent.flatMap(({ roomId, draft }) => (draft === null ? [] : [{ roomId, draft }])),
        ],
        anchors,
        blocked,
      };
    }, nothing);
  }

  /**
   * The stretch of a room that ends before `before`, or with the newest the device has; null if the device does not know
   * the number before it.
   */
  page(roomId: RoomId, before: Seq | null): Promise<DevicePage | null> {
    return this.use(async (db) => {
      const tx = db.transaction(["rooms", "entries"]);
      const room = await tx.objectStore("rooms").get(roomId);
      const range =
        before === null ? room?.known.at(-1) : rangeAt(room?.known ?? noRanges, after(before, -1));
      if (room === undefined || range === undefined) return null;
      const to = before === null ? range.to : after(before, -1);
      const from = Math.max(range.from, to - devicePageSpan + 1) as Seq;
      const stored = await tx.objectStore("entries").getAll(span(roomId, from, to));
      return { entries: stored.map(({ entry }) => entry), from, to, position: room.position };
    }, null);
  }

  /**
   * Saves changes of rooms, all or none, and returns which numbers of each the device now knows. Other pages save to the
   * same rooms: entries are joined by the later state, ranges by union, and a position moves only over numbers that this
   * page has seen from where the device was.
   */
  saveRooms(
    changes: readonly RoomChanges[],
    gone: readonly RoomId[],
  ): Promise<readonly { roomId: RoomId; known: RangeSet }[]> {
    return this.use(async (db) => {
      const tx = db.transaction(["rooms", "entries"], "readwrite", { durability: "relaxed" });
      const saved: { roomId: RoomId; known: RangeSet }[] = [];
      for (const roomId of gone) {
        await tx.objectStore("rooms").delete(roomId);
        await tx.objectStore("entries").delete(spanOfRoom(roomId));
      }
      for (const change of changes) {
        const room = await saveRoom(tx, change);
        saved.push({ roomId: room.id, known: room.known });
      }
      await tx.done;
      return saved;
    }, []);
  }

  async putQueued(entry: QueuedMessage): Promise<void> {
    await this.use(async (db) => {
      const tx = db.transaction("outbox", "readwrite");
      const written = tx.store.put(entry);
      // One that nobody has ended is undone when the page goes.
      tx.commit();
      await Promise.all([written, tx.done]);
    }, undefined);
  }

  async deleteQueued(ids: readonly MessageId[]): Promise<void> {
    await this.use(async (db) => {
      const tx = db.transaction("outbox", "readwrite");
      await Promise.all([...ids.map((id) => tx.store.delete(id)), tx.done]);
    }, undefined);
  }

  loadOutbox(): Promise<readonly QueuedMessage[]> {
    return this.use((db) => db.getAll("outbox"), []);
  }

  async setDraft(roomId: RoomId, draft: Draft | null): Promise<void> {
    await this.use(async (db) => {
      const note = this.urgent?.note(roomId, draft);
      if (draft === null) await db.delete("drafts", roomId);
      else await db.put("drafts", { roomId, draft });
      if (note !== undefined) this.urgent?.arrived(roomId, note);
    }, undefined);
  }

  async setAnchor(roomId: RoomId, anchor: ScrollAnchor | null): Promise<void> {
    await this.use(async (db) => {
      if (anchor === null) await db.delete("anchors", roomId);
      else await db.put("anchors", { roomId, anchor });
    }, undefined);
  }

  async setBlocked(userId: UserId, blocked: boolean): Promise<void> {
    await this.use(async (db) => {
      if (blocked) await db.put("blocked", userId, userId);
      else await db.delete("blocked", userId);
    }, undefined);
  }
}

type RoomsTransaction = IDBPTransaction<PersonSchema, ["rooms", "entries"], "readwrite">;

async function saveRoom(tx: RoomsTransaction, change: RoomChanges): Promise<SavedRoom> {
  const rooms = tx.objectStore("rooms");
  const entries = tx.objectStore("entries");
  const { record } = change;
  if (change.reset) await entries.delete(spanOfRoom(record.id));
  const held = change.reset ? undefined : await rooms.get(record.id);
  // The device is where this page took it to be, or further: then this page's numbers go on from there.
  const follows = held === undefined || held.position >= change.basePosition;
  const position =
    held === undefined ? record.position : follows ? later(held.position, record.position) : held.position;
  let floor = held?.floor ?? record.floor;
  let known = held?.known ?? noRanges;
  // What this page read may lack a change that the device has let go of.
  if (record.position >= floor) {
    for (const range of change.known) known = addRange(known, range.from, range.to);
  }
  await Promise.all(
    change.entries.map(async (entry) => {
      const key: [RoomId, Seq] = [record.id, entry.seq];
      const stored = await entries.get(key);
      if (stored === undefined || isLaterEntry(entry, stored.entry)) {
        await entries.put({ roomId: record.id, seq: entry.seq, entry });
      }
    }),
  );
  const top = known.at(-1)?.to ?? noSeq;
  const bottom = known[0]?.from ?? noSeq;
  if (top - bottom > keptNumbersMax + keptNumbersSlack) {
    const cut = after(top, 1 - keptNumbersMax);
    await entries.delete(span(record.id, noSeq, after(cut, -1)));
    known = dropBelow(known, cut);
    floor = later(floor, position);
  }
  const room: SavedRoom = {
    ...record,
    position,
    floor,
    known,
    newest: change.newest,
    openedAtMs: Math.max(held?.openedAtMs ?? 0, change.openedAtMs),
  };
  await rooms.put(room);
  return room;
}

function later(a: Seq, b: Seq): Seq {
  return a > b ? a : b;
}

/** What all people of this browser share: who was last signed in, and what the server offers. */
export class SharedDevice {
  private constructor(private readonly db: IDBPDatabase<SharedSchema> | null) {}

  static async open(): Promise<SharedDevice> {
    try {
      const db = await openDB<SharedSchema>(sharedName, 1, {
        upgrade: (fresh) => {
          fresh.createObjectStore("values");
        },
      });
      return new SharedDevice(db);
    } catch {
      return new SharedDevice(null);
    }
  }

  close(): void {
    this.db?.close();
  }

  async load(): Promise<{ me: Me | null; config: Config | null }> {
    try {
      const [me, config] = await Promise.all([
        this.db?.get("values", "me"),
        this.db?.get("values", "config"),
      ]);
      return { me: (me as Me | undefined) ?? null, config: (config as Config | undefined) ?? null };
    } catch {
      return { me: null, config: null };
    }
  }

  async save(key: "me" | "config", value: Me | Config | null): Promise<void> {
    try {
      if (value === null) await this.db?.delete("values", key);
      else await this.db?.put("values", value, key);
    } catch {
      // The next start asks the server instead.
    }
  }
}
