import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MessageId, RoomId, Seq, UserId } from "../protocol/ids";
import type { Me, Message, User } from "../protocol/model";
import { FakeRoom, timestamp } from "../testing/fake-room";
import { newestFirst } from "./log";
import { withMyReactions } from "./messages";
import { reduce, type Action } from "./reducer";
import { newRecord, trimRecord } from "./room-record";
import { initialState, type RoomRecord, type State } from "./state";
import { timelineOf } from "./timeline";
import { unreadOf } from "./unread";

const roomId = "room" as RoomId;
const people: User[] = ["mina", "jun", "ada"].map((name) => ({
  id: name as UserId,
  username: name,
  display_name: name,
  avatar_url: null,
}));
const [mina, jun] = people as [User, User, User];
const me: Me = { ...mina, status: "", email: null, admin: false, created_at: timestamp(0) };

/** One thing done in a room: what it is, who does it, and to which of the messages there are. */
type Deed = {
  kind: "send" | "edit" | "remove" | "react" | "unreact" | "mood" | "join" | "topic" | "void";
  who: number;
  which: number;
};

const deeds = fc.array(
  fc.record<Deed>({
    kind: fc.constantFrom(
      "send",
      "send",
      "send",
      "edit",
      "remove",
      "react",
      "unreact",
      "mood",
      "join",
      "topic",
      "void",
    ),
    who: fc.nat(2),
    which: fc.nat(1_000),
  }),
  { minLength: 1, maxLength: 60 },
);

function play(history: readonly Deed[]): FakeRoom {
  const room = new FakeRoom(
    {
      id: roomId,
      name: "general",
      topic: "",
      visibility: "public",
      created_by: jun.id,
      created_at: timestamp(0),
      members: 0,
      mood_enabled: false,
    },
    () => timestamp(0),
  );
  room.created(jun);
  history.forEach(({ kind, who, which }, step) => {
    const actor = people[who]!;
    const messages = room.messagesAsOf(room.head).filter((message) => message.deleted_at === null);
    const target = messages[which % Math.max(1, messages.length)];
    if (kind === "send") {
      room.message(actor, `m${step}` as MessageId, { mentions: which % 5 === 0 ? [me.id] : [] });
    } else if (kind === "join") room.member(actor, actor, "joined");
    else if (kind === "topic") room.changed(actor, { topic: `topic ${step}` });
    else if (kind === "void") room.voidNumber();
    else if (target === undefined) return;
    else if (kind === "edit") room.edit(actor, target.seq, `edited ${step}`);
    else if (kind === "remove") room.remove(actor, target.seq);
    else if (kind === "mood") room.mood(target.seq, (which % 3) - 1);
    else room.react(actor, target.seq, which % 2 === 0 ? "👍" : "🎉", kind === "react");
  });
  // Nobody has read anything: joining would move their mark to where the room was then.
  room.marks.clear();
  return room;
}

/** A state in which the room is known, and nothing of it held, when its head was `at`. */
function stateAt(room: FakeRoom, at: number): State {
  const snapshot = { ...room.asMemberRoom(me.id), head: at as Seq, last_message: null };
  const signedIn = reduce(initialState(0), {
    type: "session",
    session: { status: "signed-in", me, confirmed: true },
  });
  // What the list said at that head: the room as it was first made, read by nobody.
  const bare = {
    ...snapshot,
    topic: "",
    members: 0,
    read_seq: 0 as Seq,
    unread_from: null,
    unread: 0,
    mentions: 0,
  };
  return { ...signedIn, roomsListed: true, rooms: new Map([[roomId, newRecord(bare, me.id)]]) };
}

const recordOf = (state: State): RoomRecord => state.rooms.get(roomId)!;

/** Every event as its own frame. */
function eventActions(room: FakeRoom, from = 0): Action[] {
  return room.events
    .filter((event) => event.seq > from)
    .map((event) => ({ type: "events", roomId, events: [event] }));
}

/** A page of changes after a position, answered as of a head. */
function changesAction(room: FakeRoom, afterSeq: number, limit: number, head: number): Action {
  const page = room.changePage(afterSeq as Seq, limit, head as Seq);
  const to = page.more ? page.events.at(-1)!.seq : page.head;
  return { type: "changes", roomId, events: page.events, afterSeq: afterSeq as Seq, to, head: page.head };
}

/** A page of messages before a number, answered as of a head. */
function pageAction(room: FakeRoom, before: number, limit: number, head: number): Action {
  const page = room.messagePage({ before: before as Seq, limit }, head as Seq);
  const from = page.messages.length < limit ? 1 : page.messages[0]!.seq;
  return {
    type: "page",
    roomId,
    messages: page.messages,
    from: from as Seq,
    to: Math.min(before - 1, head) as Seq,
    head: head as Seq,
  };
}

const pageSpecs = fc.array(
  fc.record({
    kind: fc.constantFrom("changes", "page"),
    at: fc.nat(100),
    limit: fc.integer({ min: 1, max: 20 }),
    head: fc.nat(100),
  }),
  { maxLength: 12 },
);

type PageSpec = { kind: string; at: number; limit: number; head: number };

function pageActions(room: FakeRoom, specs: readonly PageSpec[]): Action[] {
  return specs.map(({ kind, at, limit, head }) => {
    const asOf = Math.max(1, head % (room.head + 1));
    return kind === "changes"
      ? changesAction(room, at % (asOf + 1), limit, asOf)
      : pageAction(room, 1 + (at % (asOf + 1)), limit, asOf);
  });
}

/** Some of the actions more than once. */
function repeated(actions: readonly Action[], order: readonly number[]): Action[] {
  return actions.flatMap((action, i) => (order[i % order.length]! % 4 === 0 ? [action, action] : [action]));
}

/** Puts actions in an order made of random numbers. */
function shuffled(actions: readonly Action[], order: readonly number[]): Action[] {
  return actions
    .map((action, i) => ({ action, rank: (order[(i * 7) % order.length]! * 31 + i * 17) % 1_009 }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ action }) => action);
}

const orders = fc.array(fc.nat(10_000), { minLength: 20, maxLength: 60 });

/** What a person would see of the room. */
function screen(state: State) {
  const record = recordOf(state);
  const timeline = timelineOf(record, undefined, [], [], me.id, timestamp(0));
  return {
    items: timeline.items.slice(0, timeline.items.length),
    older: timeline.older,
    newer: timeline.newer,
    info: record.info.value,
    unread: unreadOf(record, me.id),
    position: record.position,
    head: record.head,
    known: record.known,
  };
}

/** Every number that the record says it knows must be exactly what the room's log says at the end. */
function expectTruth(record: RoomRecord, room: FakeRoom): void {
  const held = new Map<Seq, Message>();
  for (const entry of newestFirst(record.log, 0 as Seq)) {
    if (entry.kind === "message") held.set(entry.seq, entry.message);
  }
  for (const { from, to } of record.known) {
    for (let seq = from; seq <= to; seq = (seq + 1) as Seq) {
      const truth = room.latest(seq);
      expect(held.get(seq)).toEqual(truth === undefined ? undefined : withMyReactions(truth, me.id));
    }
  }
}

describe("the room's log", () => {
  // Promise (DESIGN, The web client): any order of HTTP answers and live events gives the same screen.
  test("any order, repetition and paging of the same facts gives the same screen", () => {
    fc.assert(
      fc.property(deeds, pageSpecs, orders, orders, (history, specs, order, otherOrder) => {
        const room = play(history);
        const voids = changesAction(room, 0, 1_000, room.head);
        const facts = [...eventActions(room), ...pageActions(room, specs), voids];
        const once = shuffled(repeated(facts, order), order).reduce(reduce, stateAt(room, 0));
        const again = shuffled(repeated(facts, otherOrder), otherOrder).reduce(reduce, stateAt(room, 0));
        expect(screen(once)).toEqual(screen(again));
        expect(recordOf(once).position).toBe(room.head);
        expect(screen(once).unread).toEqual(room.unread(me.id));
        expectTruth(recordOf(once), room);
      }),
      { numRuns: 400 },
    );
  });

  // Promise (PROTOCOL §3, reset): an edit or deletion of an old message never stays unseen.
  test("what is known is never stale, whatever is dropped and whenever a page arrives", () => {
    fc.assert(
      fc.property(
        deeds,
        pageSpecs,
        orders,
        fc.nat(60),
        fc.array(fc.record({ kind: fc.constantFrom("reset", "trim"), at: fc.nat(100) }), { maxLength: 3 }),
        (history, specs, order, base, drops) => {
          const room = play(history);
          const start = base % (room.head + 1);
          const dropActions = drops.map(({ kind, at }): Action => {
            const seq = (at % (room.head + 1)) as Seq;
            return kind === "reset"
              ? { type: "reset", roomId, head: seq }
              : { type: "trim", roomId, from: seq };
          });
          const facts = [...eventActions(room, start), ...pageActions(room, specs), ...dropActions];
          const met = shuffled(facts, order).reduce(reduce, stateAt(room, start));
          // The engine repairs from the position, and from nowhere else.
          const state = reduce(met, changesAction(room, recordOf(met).position, 1_000, room.head));
          expect(recordOf(state).position).toBe(room.head);
          expectTruth(recordOf(state), room);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("a trim with a gap ahead is refused, since an event beyond it may concern what would go", () => {
    const room = play([
      { kind: "send", who: 1, which: 0 },
      { kind: "send", who: 1, which: 0 },
      { kind: "edit", who: 1, which: 0 },
    ]);
    const [edit] = room.events.slice(-1);
    const state = reduce(stateAt(room, 1), { type: "events", roomId, events: [edit!] });
    const record = recordOf(state);
    expect(trimRecord(record, 3 as Seq)).toBe(record);
  });

  test("one more message in a room of 100,000 changes one segment of rows and takes well under a frame", () => {
    const room = play([]);
    const messages = Array.from({ length: 100_000 }, (_, i): Message => {
      const seq = (i + 2) as Seq;
      return { ...room.message(jun, `m${i}` as MessageId).message, seq };
    });
    const page: Action = {
      type: "page",
      roomId,
      messages,
      from: 1 as Seq,
      to: room.head,
      head: room.head,
    };
    let state = reduce(stateAt(room, room.head), page);
    let timeline = timelineOf(recordOf(state), undefined, [], [], me.id, timestamp(0));
    const early = timeline.items.at(10);
    const oldest = recordOf(state).log.buckets[0];
    const rounds = 200;
    const timesMs: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const event = room.message(jun, `live${i}` as MessageId);
      const started = performance.now();
      state = reduce(state, { type: "events", roomId, events: [event] });
      timeline = timelineOf(recordOf(state), undefined, [], [], me.id, timestamp(0));
      timesMs.push(performance.now() - started);
    }
    const medianMs = timesMs.sort((a, b) => a - b)[rounds / 2]!;
    expect(timeline.items.length).toBe(100_000 + rounds);
    expect(timeline.items.at(10)).toBe(early);
    expect(timeline.items.indexOfKey("live199")).toBe(timeline.items.length - 1);
    expect(recordOf(state).log.buckets[0]).toBe(oldest);
    // A frame is 16 ms; the rest of it belongs to the screen, and this machine may be busy.
    expect(medianMs).toBeLessThan(4);
  });
});
