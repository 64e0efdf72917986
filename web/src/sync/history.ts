import * as decoders from "../protocol/decode";
import type { ChangePage, MessagePage } from "../protocol/http";
import { after, noSeq, type RoomId, type Seq } from "../protocol/ids";
import { Problem } from "../protocol/problem";
import type { Device } from "./device";
import type { HttpClient } from "./http-client";
import { covers, rangeAt, type Range } from "./ranges";
import type { LoadKey, RoomRecord } from "./state";
import type { StoreAccess } from "./store";

/** Messages a page. */
const pageMessages = 50;

/** A room that shows at least this many numbers fills a screen. */
const screenNumbers = 40;

/** Events a page. The server may give fewer and says so. */
export const changesPerPage = 500;

/**
 * The first numbers of every room are loaded as events, which, unlike pages of messages, tell of its making and of who
 * joined.
 */
const beginningNumbers = 150;

/** How often an answer from before something was dropped is asked for again. */
const staleAnswersMax = 4;

interface PageQuery extends Record<string, Seq | undefined> {
  before?: Seq;
  after?: Seq;
  around?: Seq;
}

/** Loads what a person looks at: from the device where it has it, else from the server. */
export class History {
  private readonly loads = new Map<string, Promise<void>>();

  constructor(
    private readonly store: StoreAccess,
    private readonly device: () => Device | null,
    private readonly http: HttpClient,
  ) {}

  /**
   * Fills a room that was just opened: the newest there is, and where the person stopped reading. Returns at once if
   * memory has it already.
   */
  async open(roomId: RoomId): Promise<void> {
    await this.loadLatest(roomId);
    const from = this.store.state().open.get(roomId)?.firstUnreadSeq ?? null;
    const record = this.record(roomId);
    if (from === null || record === undefined || rangeAt(record.known, from) !== undefined) return;
    await this.loadAround(roomId, from);
  }

  /** Loads the newest messages there are, and enough of them to fill a screen. */
  async loadLatest(roomId: RoomId): Promise<void> {
    const held = this.record(roomId);
    if (held !== undefined && fillsScreen(newestRange(held))) return;
    await this.once(roomId, "first", async (record) => {
      if (newestRange(record) === undefined) await this.newest(record);
      const now = this.record(roomId);
      const range = now === undefined ? undefined : newestRange(now);
      if (now !== undefined && range !== undefined && !fillsScreen(range)) await this.before(now, range.from);
    });
  }

  /** Begins a room again at `head` after too much was missed; what is on the screen stays until the new page is here. */
  async restart(roomId: RoomId, head: Seq): Promise<void> {
    if (!this.store.state().open.has(roomId)) {
      this.store.dispatch({ type: "reset", roomId, head });
      return;
    }
    const page = await this.ask(roomId, {});
    this.store.batch(() => {
      this.store.dispatch({ type: "reset", roomId, head });
      if (page.head < head) return;
      this.store.dispatch({ type: "page", roomId, ...page, from: startOf(page), to: page.head });
    });
    await this.loadLatest(roomId);
  }

  loadOlder(roomId: RoomId): Promise<void> {
    return this.once(roomId, "older", (record) => this.before(record, record.known[0]?.from));
  }

  loadNewer(roomId: RoomId): Promise<void> {
    return this.once(roomId, "newer", (record) => this.after(record, record.known.at(-1)?.to));
  }

  loadHole(roomId: RoomId, hole: { after: Seq; before: Seq }, from: "after" | "before"): Promise<void> {
    return this.once(roomId, `hole-${hole.after}`, (record) =>
      from === "after" ? this.after(record, hole.after) : this.before(record, hole.before),
    );
  }

  loadAround(roomId: RoomId, seq: Seq): Promise<void> {
    return this.once(roomId, `around-${seq}`, async (record) => {
      if (covers(record.known, seq, seq)) return;
      // One stretch that ends a little after the number, if the device has it.
      const beyond = after(seq, pageMessages);
      const onDevice = rangeAt(record.onDevice, seq);
      const before = onDevice === undefined || onDevice.to >= beyond ? beyond : after(onDevice.to);
      if (onDevice !== undefined && (await this.fromDevice(record, before))) return;
      await this.page(roomId, { around: seq }, (page) => {
        const first = page.messages[0]?.seq ?? seq;
        const last = page.messages.at(-1)?.seq ?? seq;
        return { from: first < seq ? first : seq, to: last > seq ? last : seq };
      });
    });
  }

  /** The page that ends before a number. */
  private async before(record: RoomRecord, before: Seq | undefined): Promise<void> {
    if (before === undefined || before <= 1) return;
    if (
      rangeAt(record.onDevice, after(before, -1)) !== undefined &&
      (await this.fromDevice(record, before))
    ) {
      return;
    }
    const to = after(before, -1);
    if (to <= beginningNumbers && (await this.beginning(record, to))) return;
    await this.page(record.id, { before }, (page) => ({ from: startOf(page), to }));
  }

  /** The page that begins after a number. */
  private async after(record: RoomRecord, seq: Seq | undefined): Promise<void> {
    if (seq === undefined || seq >= record.head) return;
    await this.page(record.id, { after: seq }, (page) => ({
      from: after(seq),
      to: page.messages.length < pageMessages ? page.head : page.messages.at(-1)!.seq,
    }));
  }

  private async fromDevice(record: RoomRecord, before: Seq | null): Promise<boolean> {
    const page = (await this.device()?.page(record.id, before)) ?? null;
    if (page === null || page.position < record.floor) return false;
    this.store.dispatch({ type: "device-page", roomId: record.id, ...page });
    return true;
  }

  /** The newest there is of a room of which memory has nothing. */
  private async newest(record: RoomRecord): Promise<void> {
    const onDevice = record.onDevice.at(-1);
    if (onDevice !== undefined && onDevice.to >= record.position && (await this.fromDevice(record, null))) {
      return;
    }
    // A room that was just made: its first events are on their way.
    if (record.head === noSeq) return;
    if (record.head <= beginningNumbers && (await this.beginning(record, record.head))) return;
    await this.page(record.id, {}, (page) => ({ from: startOf(page), to: page.head }));
  }

  /** Loads everything from the room's making up to a number; false if the answer did not reach it. */
  private async beginning(record: RoomRecord, upTo: Seq): Promise<boolean> {
    const page = await this.http.call(decoders.changePage, `${path(record.id)}/changes`, {
      query: { after: noSeq, limit: upTo },
    });
    const to = throughOf(page);
    const floor = this.record(record.id)?.floor ?? page.head;
    if (to === undefined || to < upTo || page.head < floor) return false;
    const { events, head } = page;
    this.store.dispatch({ type: "changes", roomId: record.id, events, afterSeq: noSeq, to, head });
    return true;
  }

  /** Asks for a page of messages and takes it; `spanOf` says of which numbers it tells all. */
  private async page(
    roomId: RoomId,
    query: PageQuery,
    spanOf: (page: MessagePage) => { from: Seq; to: Seq },
  ): Promise<void> {
    // What was dropped while an answer was on its way may have been a later state of what it brings: ask again.
    for (let attempt = 0; attempt < staleAnswersMax; attempt++) {
      const page = await this.ask(roomId, query);
      const record = this.record(roomId);
      if (record === undefined) return;
      if (page.head < record.floor) continue;
      this.store.dispatch({ type: "page", roomId, ...page, ...spanOf(page) });
      return;
    }
    throw new Problem("unavailable", "the server answers with an older state of the room than it has sent");
  }

  private ask(roomId: RoomId, query: PageQuery): Promise<MessagePage> {
    return this.http.call(decoders.messagePage, `${path(roomId)}/messages`, {
      query: { ...query, limit: pageMessages },
    });
  }

  /** Runs a load unless it is under way, and shows its state. */
  private once(roomId: RoomId, key: LoadKey, load: (record: RoomRecord) => Promise<void>): Promise<void> {
    const name = `${roomId} ${key}`;
    const running = this.loads.get(name);
    if (running !== undefined) return running;
    const record = this.record(roomId);
    if (record === undefined) return Promise.reject(new Problem("not_found", "no such room"));
    this.store.dispatch({ type: "load", roomId, key, load: { status: "loading" } });
    const run = load(record)
      .then(
        () => this.store.dispatch({ type: "load", roomId, key, load: null }),
        (cause: unknown) => {
          const problem = cause instanceof Problem ? cause : new Problem("unreadable", String(cause));
          this.store.dispatch({ type: "load", roomId, key, load: { status: "failed", problem } });
          throw problem;
        },
      )
      .finally(() => this.loads.delete(name));
    this.loads.set(name, run);
    return run;
  }

  private record(roomId: RoomId): RoomRecord | undefined {
    return this.store.state().rooms.get(roomId);
  }
}

function path(roomId: RoomId): string {
  return `/rooms/${encodeURIComponent(roomId)}`;
}

/** The number up to which a page of changes tells all; undefined if it tells of nothing. */
export function throughOf(page: ChangePage): Seq | undefined {
  return page.through ?? (page.more ? page.events.at(-1)?.seq : page.head);
}

/** A page that is not full reaches back to the room's beginning. */
function startOf(page: MessagePage): Seq {
  const first = page.messages[0];
  return page.messages.length < pageMessages || first === undefined ? after(noSeq) : first.seq;
}

/** The known range that ends where live events go on. */
function newestRange(record: RoomRecord): Range | undefined {
  const last = record.known.at(-1);
  return last !== undefined && last.to >= record.position ? last : undefined;
}

function fillsScreen(range: Range | undefined): boolean {
  return range !== undefined && (range.from <= 1 || range.to - range.from >= screenNumbers);
}
