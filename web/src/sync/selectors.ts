import { noSeq, type RoomId, type Seq, type UserId } from "../protocol/ids";
import type { Member, Message, User } from "../protocol/model";
import { newestMessageEntry } from "./log";
import { addRange, noRanges } from "./ranges";
import { memberCount } from "./room-record";
import { meOf, type MemberList, type QueuedMessage, type RoomRecord, type State } from "./state";
import type { Views } from "./sync";
import { emptyTimeline, timelineOf } from "./timeline";
import { unreadOf } from "./unread";
import type {
  Completeness,
  ConfigView,
  Connection,
  Draft,
  MemberListView,
  OutboxEntry,
  OutboxState,
  RoomListView,
  RoomState,
  RoomSummary,
  Session,
  Timeline,
  Typing,
  UnreadTotal,
} from "./views";

/** What a selector needs beside the state. */
export interface SelectorWorld {
  subscribe: (changed: () => void) => () => void;
  state: () => State;
  now(): number;
}

/**
 * Remembers what a function made of its last inputs, by identity. State is immutable, so the same inputs are the same
 * output, and the same output is the same object, which lets React skip the rest.
 */
function remember<A extends readonly unknown[], R>(make: (...inputs: A) => R): (...inputs: A) => R {
  let last: { inputs: A; output: R } | null = null;
  return (...inputs) => {
    if (last === null || !inputs.every((input, i) => input === last!.inputs[i])) {
      last = { inputs, output: make(...inputs) };
    }
    return last.output;
  };
}

/** One remembered function for each room or person asked about. */
function rememberEach<K, A extends readonly unknown[], R>(
  make: (key: K, ...inputs: A) => R,
): (key: K, ...inputs: A) => R {
  const each = new Map<K, (...inputs: A) => R>();
  return (key, ...inputs) => {
    let one = each.get(key);
    if (one === undefined) {
      one = remember((...latest: A) => make(key, ...latest));
      each.set(key, one);
    }
    return one(...inputs);
  };
}

/** The same value as before if it is equal in every field, so that a new object that says nothing new is not told. */
function keepEqual<T extends object>(): (value: T) => T {
  let held: T | null = null;
  return (value) => {
    if (held !== null && shallowEqual(held, value)) return held;
    held = value;
    return value;
  };
}

function shallowEqual(a: object, b: object): boolean {
  const other = b as Record<string, unknown>;
  const keys = Object.entries(a);
  return keys.length === Object.keys(b).length && keys.every(([key, value]) => other[key] === value);
}

const noDraft: Draft = { text: "", replyTo: null };
const nobodyTypes: Typing = [];
const nothingQueued: readonly OutboxEntry[] = [];
const nothingChanged: readonly never[] = [];
const noMembers: MemberListView = { status: "loading", problem: null, members: [], more: true };
const absent: RoomState = { status: "absent" };
const loadingRoom: RoomState = { status: "loading" };

/** Whether messages leave this device now. */
function isSending(state: State): boolean {
  return state.socket.status === "ready" && state.outboxPausedUntilMs === null;
}

function outboxState(entry: QueuedMessage, sending: boolean): OutboxState {
  if (entry.stage !== "queued") return entry.stage === "acked" ? "sent" : "refused";
  return sending ? "sending" : "waiting";
}

function unsentCount(entries: readonly QueuedMessage[] | undefined): number {
  return entries?.filter((entry) => entry.stage !== "acked").length ?? 0;
}

function hasDraft(draft: Draft | undefined): boolean {
  return draft !== undefined && draft.text !== "";
}

interface RoomFacts {
  unread: number;
  mentions: number;
  members: number;
  lastMessage: Message | null;
}

function summarize(record: RoomRecord, facts: RoomFacts, draft: boolean, waiting: number): RoomSummary {
  const { name, topic, visibility, created_at } = record.info.value;
  return {
    id: record.id,
    name,
    topic,
    visibility,
    peer: record.peer,
    role: record.membership.value.role,
    notify: record.notify,
    members: facts.members,
    unread: facts.unread,
    mentions: facts.mentions,
    lastMessage: facts.lastMessage,
    lastActivityAt: facts.lastMessage?.created_at ?? created_at,
    draft,
    waiting,
  };
}

const roleRank = { owner: 0, moderator: 1, member: 2 } as const;

function memberView(list: MemberList, online: ReadonlySet<UserId>): MemberListView {
  const members: Member[] = [];
  for (const { value } of list.members.values()) {
    if (value !== null)
      members.push({ ...value, online: value.online === true || online.has(value.user.id) });
  }
  members.sort(
    (a, b) => roleRank[a.role] - roleRank[b.role] || a.user.display_name.localeCompare(b.user.display_name),
  );
  return { status: list.status, problem: list.problem, members, more: list.nextCursor !== null };
}

/** Makes what screens read from the state. */
export function createViews(world: SelectorWorld): Views {
  const { state } = world;

  const config = remember((value: State["config"], problem: State["configProblem"]): ConfigView =>
    value !== null
      ? { status: "ready", config: value }
      : problem !== null
        ? { status: "failed", problem }
        : { status: "loading" },
  );

  const waiting = remember((outbox: State["outbox"]) =>
    [...outbox.values()].reduce(
      (sum, entries) => sum + entries.filter((entry) => entry.stage === "queued").length,
      0,
    ),
  );

  const connection = remember((socket: State["socket"], unsent: number): Connection => {
    switch (socket.status) {
      case "ready":
        return { status: "ok" };
      case "connecting":
        return socket;
      case "refused":
        return socket;
      case "waiting":
        return socket.offline
          ? {
              status: "offline",
              sinceMs: socket.sinceMs,
              waiting: unsent,
              nextAttemptAtMs: socket.nextAttemptAtMs,
            }
          : { status: "connecting", sinceMs: socket.sinceMs };
    }
  });

  const facts = rememberEach((_id: RoomId, record: RoomRecord, me: UserId): RoomFacts => ({
    ...unreadOf(record, me),
    members: memberCount(record),
    lastMessage: newestMessageEntry(record.log)?.message ?? null,
  }));

  const keepSummary = rememberEach((_id: RoomId) => keepEqual<RoomSummary>());
  const summary = rememberEach(
    (id: RoomId, record: RoomRecord, me: UserId, draft: boolean, waiting: number) =>
      keepSummary(id)(summarize(record, facts(id, record, me), draft, waiting)),
  );
  const summaryOf = (record: RoomRecord, me: UserId): RoomSummary => {
    const { id } = record;
    return summary(id, record, me, hasDraft(state().drafts.get(id)), unsentCount(state().outbox.get(id)));
  };

  const summaries = remember(
    (rooms: State["rooms"], _marks: string, me: UserId | undefined): readonly RoomSummary[] =>
      me === undefined
        ? []
        : [...rooms.values()]
            .map((record) => summaryOf(record, me))
            .sort((a, b) =>
              a.lastActivityAt < b.lastActivityAt ? 1 : a.lastActivityAt > b.lastActivityAt ? -1 : 0,
            ),
  );

  /** Which rooms have a draft or unsent messages: a key in a composer changes a draft, but rarely whether there is one. */
  const listMarks = remember((drafts: State["drafts"], outbox: State["outbox"]): string =>
    [
      ...[...drafts].filter(([, draft]) => hasDraft(draft)).map(([id]) => id),
      ...[...outbox].map(([id, entries]) => `${id}:${unsentCount(entries)}`),
    ].join(" "),
  );

  const keepList = keepEqual<readonly RoomSummary[]>();
  const roomList = remember((rooms: readonly RoomSummary[], listed: boolean): RoomListView => ({
    status: listed ? "ready" : "loading",
    rooms,
  }));

  const currentSummaries = () => {
    const { rooms, drafts, outbox } = state();
    return keepList(summaries(rooms, listMarks(drafts, outbox), meOf(state())?.id));
  };

  const keepTotal = keepEqual<UnreadTotal>();
  const total = remember((rooms: readonly RoomSummary[]): UnreadTotal => {
    const loud = rooms.filter((room) => room.notify !== "none");
    return keepTotal({
      unread: loud.reduce((sum, room) => sum + (room.notify === "all" ? room.unread : room.mentions), 0),
      mentions: loud.reduce((sum, room) => sum + room.mentions, 0),
    });
  });

  const keepRoom = rememberEach((_id: RoomId) => {
    let held: RoomState | null = null;
    return (record: RoomRecord, summary: RoomSummary): RoomState => {
      const room = {
        ...summary,
        createdBy: record.info.value.created_by,
        createdAt: record.info.value.created_at,
        moodEnabled: record.info.value.mood_enabled,
        mutedUntil: record.membership.value.muted_until,
        head: record.head,
        readSeq: record.read.read_seq,
        unreadFrom: record.read.unread_from,
      };
      if (held?.status === "ready" && shallowEqual(held.room, room)) return held;
      held = { status: "ready", room };
      return held;
    };
  });

  const outbox = rememberEach(
    (_id: RoomId, entries: readonly QueuedMessage[], sending: boolean): readonly OutboxEntry[] =>
      entries.map(({ order, stage, ...entry }, index) => ({
        ...entry,
        state: outboxState(entries[index]!, sending),
      })),
  );

  const outboxOf = (roomId: RoomId): readonly OutboxEntry[] => {
    const entries = state().outbox.get(roomId);
    return entries === undefined ? nothingQueued : outbox(roomId, entries, isSending(state()));
  };

  const timeline = rememberEach(
    (
      _id: RoomId,
      record: RoomRecord,
      open: ReturnType<State["open"]["get"]>,
      pending: readonly OutboxEntry[],
      changes: NonNullable<ReturnType<State["optimistic"]["get"]>>,
      me: UserId,
    ): Timeline => timelineOf(record, open, pending, changes, me, new Date(world.now()).toISOString()),
  );
  const noTimeline = rememberEach((roomId: RoomId) => emptyTimeline(roomId));

  const typing = rememberEach((_id: RoomId, typists: readonly { user: User }[]): Typing =>
    typists.map(({ user }) => user),
  );
  const memberList = rememberEach((_id: RoomId, list: MemberList, online: ReadonlySet<UserId>) =>
    memberView(list, online),
  );
  const completeness = rememberEach(
    (
      _id: RoomId,
      known: RoomRecord["known"],
      onDevice: RoomRecord["onDevice"],
      upTo: Seq,
      head: Seq,
    ): Completeness => {
      const all = onDevice.reduce((ranges, range) => addRange(ranges, range.from, range.to), known);
      return { upTo, head, from: all.at(-1)?.from ?? upTo, holes: Math.max(0, all.length - 1) };
    },
  );

  return {
    subscribe: world.subscribe,
    session: (): Session => state().session,
    config: () => config(state().config, state().configProblem),
    connection: () => connection(state().socket, waiting(state().outbox)),
    rooms: () => roomList(currentSummaries(), state().roomsListed),
    room: (roomId) => {
      const record = state().rooms.get(roomId);
      const me = meOf(state());
      if (record === undefined || me === null) return state().roomsListed ? absent : loadingRoom;
      return keepRoom(roomId)(record, summaryOf(record, me.id));
    },
    unreadTotal: () => total(currentSummaries()),
    timeline: (roomId) => {
      const record = state().rooms.get(roomId);
      const me = meOf(state());
      if (record === undefined || me === null) return noTimeline(roomId);
      return timeline(
        roomId,
        record,
        state().open.get(roomId),
        outboxOf(roomId),
        state().optimistic.get(roomId) ?? nothingChanged,
        me.id,
      );
    },
    outbox: outboxOf,
    draft: (roomId) => state().drafts.get(roomId) ?? noDraft,
    typing: (roomId) => {
      const typists = state().typing.get(roomId);
      return typists === undefined ? nobodyTypes : typing(roomId, typists);
    },
    online: (userId) => state().online.has(userId),
    members: (roomId) => {
      const list = state().members.get(roomId);
      return list === undefined ? noMembers : memberList(roomId, list, state().online);
    },
    completeness: (roomId) => {
      const record = state().rooms.get(roomId);
      return record === undefined
        ? completeness(roomId, noRanges, noRanges, noSeq, noSeq)
        : completeness(roomId, record.known, record.onDevice, record.position, record.head);
    },
    blocked: (userId) => state().blocked.has(userId),
  };
}
