import type { ReadState } from "../protocol/http";
import type { MessageId, RoomId, Seq, UserId } from "../protocol/ids";
import type { Config, Event, Me, MemberRoom, Message, Notify, User } from "../protocol/model";
import type { Problem } from "../protocol/problem";
import { withEntry, withList, withMember } from "./collections";
import { messageAt, messageEntry, putEntries, type LogEntry } from "./log";
import { applyMemberAction, applyMemberEvents, type MemberPageAction } from "./member-list";
import { withMyReactions } from "./messages";
import { settled } from "./optimistic";
import { ackQueued, dropNumbered, dropQueued, groupByRoom, putQueued, queuedOf } from "./outbox-state";
import { addRange, type RangeSet } from "./ranges";
import {
  applyChanges,
  applyEvents,
  applyPage,
  applySnapshot,
  newRecord,
  resetRecord,
  trimRecord,
} from "./room-record";
import {
  initialState,
  meOf,
  type LoadKey,
  type LoadState,
  type OptimisticChange,
  type QueuedMessage,
  type RoomRecord,
  type SocketState,
  type State,
} from "./state";
import { newLineOf } from "./unread";
import type { Draft, ScrollAnchor, Session } from "./views";

/** How long after their last sign a person counts as typing. */
export const typingMs = 5_000;

/** Everything that can happen to the state. What comes from the server is a fact and never depends on when it came. */
export type Action =
  // The session and the connection.
  | { type: "session"; session: Session }
  | { type: "signed-out"; reason: "none" | "ended"; nowMs: number }
  | { type: "me"; me: Me }
  | { type: "config"; config: Config }
  | { type: "config-failed"; problem: Problem }
  | { type: "socket"; socket: SocketState }
  // Rooms and what happened in them.
  | { type: "rooms-listed"; rooms: readonly MemberRoom[] }
  | { type: "room-joined"; room: MemberRoom }
  | { type: "room-left"; roomId: RoomId }
  | {
      type: "device-content";
      records: readonly RoomRecord[];
      drafts: readonly { roomId: RoomId; draft: Draft }[];
      anchors: readonly { roomId: RoomId; anchor: ScrollAnchor }[];
      blocked: readonly UserId[];
    }
  | { type: "events"; roomId: RoomId; events: readonly Event[] }
  | { type: "changes"; roomId: RoomId; events: readonly Event[]; afterSeq: Seq; to: Seq; head: Seq }
  | { type: "page"; roomId: RoomId; messages: readonly Message[]; from: Seq; to: Seq; head: Seq }
  | { type: "device-page"; roomId: RoomId; entries: readonly LogEntry[]; from: Seq; to: Seq; position: Seq }
  | { type: "device-saved"; roomId: RoomId; known: RangeSet }
  | { type: "message"; message: Message }
  | { type: "head"; roomId: RoomId; head: Seq }
  | { type: "reset"; roomId: RoomId; head: Seq }
  | { type: "trim"; roomId: RoomId; from: Seq }
  | { type: "read"; roomId: RoomId; read: ReadState }
  | { type: "mark-read"; roomId: RoomId; seq: Seq }
  | { type: "mark-unread"; roomId: RoomId; from: Seq }
  | { type: "notify"; roomId: RoomId; notify: Notify }
  | { type: "peer"; roomId: RoomId; peer: User }
  | MemberPageAction
  // What is on the screen.
  | { type: "room-opened"; roomId: RoomId }
  | { type: "room-closed"; roomId: RoomId }
  | { type: "load"; roomId: RoomId; key: LoadKey; load: LoadState | null }
  // What I write.
  | { type: "outbox"; entries: readonly QueuedMessage[] }
  | { type: "outbox-put"; entry: QueuedMessage }
  | { type: "outbox-drop"; id: MessageId }
  | { type: "outbox-acked"; id: MessageId; seq: Seq | undefined }
  | { type: "outbox-refused"; id: MessageId; problem: { code: Problem["code"]; detail: string } }
  | { type: "outbox-paused"; untilMs: number | null }
  | { type: "optimistic"; change: OptimisticChange }
  | { type: "optimistic-done"; roomId: RoomId; token: number }
  | { type: "draft"; roomId: RoomId; draft: Draft | null }
  | { type: "anchor"; roomId: RoomId; anchor: ScrollAnchor | null }
  // What may be lost.
  | { type: "typing"; roomId: RoomId; user: User; nowMs: number }
  | { type: "typing-expired"; nowMs: number }
  | { type: "online-all"; users: readonly UserId[] }
  | { type: "presence"; userId: UserId; online: boolean }
  | { type: "blocked"; userId: UserId; blocked: boolean };

/** Changes a room that is there; facts about other rooms are of no interest. */
function changeRoom(
  state: State,
  roomId: RoomId,
  change: (record: RoomRecord, me: UserId) => RoomRecord,
): State {
  const record = state.rooms.get(roomId);
  const me = meOf(state);
  if (record === undefined || me === null) return state;
  const next = change(record, me.id);
  return next === record ? state : { ...state, rooms: withEntry(state.rooms, roomId, next) };
}

/** The next state. Pure: the same state and action give the same state, and the state given is never changed. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case "session":
      return { ...state, session: action.session };
    case "signed-out": {
      const { config, configProblem } = state;
      const session: Session = { status: "signed-out", reason: action.reason };
      return { ...initialState(action.nowMs), config, configProblem, session };
    }
    case "me":
      return state.session.status === "signed-in"
        ? { ...state, session: { ...state.session, me: action.me } }
        : state;
    case "config":
      return { ...state, config: action.config, configProblem: null };
    case "config-failed":
      return state.config === null ? { ...state, configProblem: action.problem } : state;
    case "socket":
      return { ...state, socket: action.socket };

    case "rooms-listed":
      return listRooms(state, action.rooms);
    case "room-joined":
      return upsertRooms(state, [action.room]);
    case "room-left": {
      const next = forgetRoom(state, action.roomId);
      // What waits for a room that is left for good can never be sent.
      return { ...next, outbox: withEntry(next.outbox, action.roomId, undefined) };
    }
    case "device-content":
      return {
        ...addDeviceRooms(state, action.records),
        drafts: new Map([
          ...action.drafts.map(({ roomId, draft }) => [roomId, draft] as const),
          ...state.drafts,
        ]),
        anchors: new Map(action.anchors.map(({ roomId, anchor }) => [roomId, anchor])),
        blocked: new Set([...action.blocked, ...state.blocked]),
      };
    case "events": {
      const next = changeRoom(state, action.roomId, (record, me) => applyEvents(record, action.events, me));
      return afterEvents(next, action.roomId, action.events);
    }
    case "changes": {
      const next = changeRoom(state, action.roomId, (record, me) => applyChanges(record, action, me));
      return afterEvents(next, action.roomId, action.events);
    }
    case "page": {
      const next = changeRoom(state, action.roomId, (record, me) => applyPage(record, action, me));
      return afterMessages(next, action.roomId, action.messages);
    }
    case "device-page": {
      const next = changeRoom(state, action.roomId, (record) => applyDevicePage(record, action));
      const messages = action.entries.flatMap((entry) => (entry.kind === "message" ? [entry.message] : []));
      return afterMessages(next, action.roomId, messages);
    }
    case "device-saved":
      return changeRoom(state, action.roomId, (record) => ({ ...record, onDevice: action.known }));
    case "message": {
      const { message } = action;
      const next = changeRoom(state, message.room_id, (record, me) => ({
        ...record,
        log: putEntries(record.log, [messageEntry(withMyReactions(message, me))]),
      }));
      return afterMessages(next, message.room_id, [message]);
    }
    case "head":
      return changeRoom(state, action.roomId, (record) =>
        action.head > record.head ? { ...record, head: action.head } : record,
      );
    case "reset": {
      const next = changeRoom(state, action.roomId, (record) => resetRecord(record, action.head));
      // Who came and went meanwhile was missed as well: the list of members is loaded anew where it is shown.
      return { ...next, members: withEntry(next.members, action.roomId, undefined) };
    }
    case "trim":
      return changeRoom(state, action.roomId, (record) => trimRecord(record, action.from));
    case "read":
      return changeRoom(state, action.roomId, (record) => ({
        ...record,
        read: {
          read_seq: action.read.read_seq > record.read.read_seq ? action.read.read_seq : record.read.read_seq,
          unread_from: action.read.unread_from,
        },
        counts: { at: record.position, value: action.read },
      }));
    case "mark-read":
      return changeRoom(state, action.roomId, (record) => {
        const { read } = record;
        if (action.seq <= read.read_seq && read.unread_from === null) return record;
        const read_seq = action.seq > read.read_seq ? action.seq : read.read_seq;
        return { ...record, read: { read_seq, unread_from: null } };
      });
    case "mark-unread": {
      const next = changeRoom(state, action.roomId, (record) => ({
        ...record,
        read: { ...record.read, unread_from: action.from },
      }));
      const open = next.open.get(action.roomId);
      return open === undefined
        ? next
        : {
            ...next,
            open: withEntry(next.open, action.roomId, { ...open, firstUnreadSeq: action.from }),
          };
    }
    case "notify":
      return changeRoom(state, action.roomId, (record) => ({ ...record, notify: action.notify }));
    case "peer":
      return changeRoom(state, action.roomId, (record) => ({ ...record, peer: action.peer }));
    case "members-loading":
    case "members-failed":
    case "member-page":
      return applyMemberAction(state, action);

    case "room-opened": {
      const record = state.rooms.get(action.roomId);
      if (state.open.has(action.roomId) || record === undefined) return state;
      const open = { firstUnreadSeq: newLineOf(record, meOf(state)!.id), loads: new Map() };
      return { ...state, open: withEntry(state.open, action.roomId, open) };
    }
    case "room-closed":
      return { ...state, open: withEntry(state.open, action.roomId, undefined) };
    case "load": {
      const open = state.open.get(action.roomId);
      if (open === undefined) return state;
      const loads = withEntry(open.loads, action.key, action.load ?? undefined);
      return { ...state, open: withEntry(state.open, action.roomId, { ...open, loads }) };
    }

    case "outbox":
      return { ...state, outbox: groupByRoom(action.entries) };
    case "outbox-put":
      return putQueued(state, action.entry);
    case "outbox-drop":
      return dropQueued(state, action.id);
    case "outbox-acked":
      return ackQueued(state, action.id, action.seq);
    case "outbox-refused": {
      const entry = queuedOf(state, action.id);
      return entry === undefined
        ? state
        : putQueued(state, { ...entry, stage: "refused", problem: action.problem });
    }
    case "outbox-paused":
      return { ...state, outboxPausedUntilMs: action.untilMs };
    case "optimistic": {
      const { change } = action;
      const held = state.optimistic.get(change.roomId) ?? [];
      return { ...state, optimistic: withList(state.optimistic, change.roomId, [...held, change]) };
    }
    case "optimistic-done": {
      const held = state.optimistic.get(action.roomId) ?? [];
      const left = held.filter((change) => change.token !== action.token);
      if (left.length === held.length) return state;
      return { ...state, optimistic: withList(state.optimistic, action.roomId, left) };
    }
    case "draft":
      return { ...state, drafts: withEntry(state.drafts, action.roomId, action.draft ?? undefined) };
    case "anchor":
      return { ...state, anchors: withEntry(state.anchors, action.roomId, action.anchor ?? undefined) };

    case "typing": {
      if (action.user.id === meOf(state)?.id) return state;
      const others = (state.typing.get(action.roomId) ?? []).filter(({ user }) => user.id !== action.user.id);
      const typists = [...others, { user: action.user, untilMs: action.nowMs + typingMs }];
      return { ...state, typing: withEntry(state.typing, action.roomId, typists) };
    }
    case "typing-expired": {
      const left = [...state.typing].flatMap(([roomId, typists]) => {
        const still = typists.filter(({ untilMs }) => untilMs > action.nowMs);
        if (still.length === 0) return [];
        return [[roomId, still.length === typists.length ? typists : still] as const];
      });
      return { ...state, typing: new Map(left) };
    }
    case "online-all":
      return { ...state, online: new Set(action.users) };
    case "presence":
      return { ...state, online: withMember(state.online, action.userId, action.online) };
    case "blocked":
      return { ...state, blocked: withMember(state.blocked, action.userId, action.blocked) };
  }
}

function upsertRooms(state: State, rooms: readonly MemberRoom[]): State {
  const me = meOf(state);
  if (me === null) return state;
  const next = new Map(state.rooms);
  for (const room of rooms) {
    const record = next.get(room.id);
    next.set(room.id, record === undefined ? newRecord(room, me.id) : applySnapshot(record, room, me.id));
  }
  return { ...state, rooms: next };
}

/** The whole list: rooms that are not in it are no longer mine. */
function listRooms(state: State, rooms: readonly MemberRoom[]): State {
  const listed = new Set(rooms.map((room) => room.id));
  const gone = [...state.rooms.keys()].filter((id) => !listed.has(id));
  return { ...gone.reduce(forgetRoom, upsertRooms(state, rooms)), roomsListed: true };
}

function forgetRoom(state: State, roomId: RoomId): State {
  return {
    ...state,
    rooms: withEntry(state.rooms, roomId, undefined),
    open: withEntry(state.open, roomId, undefined),
    members: withEntry(state.members, roomId, undefined),
    optimistic: withEntry(state.optimistic, roomId, undefined),
    typing: withEntry(state.typing, roomId, undefined),
    anchors: withEntry(state.anchors, roomId, undefined),
  };
}

/** What the device kept from before; a room that the server has spoken of already is newer than that. */
function addDeviceRooms(state: State, records: readonly RoomRecord[]): State {
  const rooms = new Map(state.rooms);
  for (const record of records) if (!rooms.has(record.id)) rooms.set(record.id, record);
  return { ...state, rooms, roomsListed: state.roomsListed || records.length > 0 };
}

/** A part of a room from the device, as it was at the device's position. */
function applyDevicePage(
  record: RoomRecord,
  page: { entries: readonly LogEntry[]; from: Seq; to: Seq; position: Seq },
): RoomRecord {
  if (page.position < record.floor) return record;
  return {
    ...record,
    known: addRange(record.known, page.from, page.to),
    log: putEntries(record.log, page.entries),
  };
}

/** What follows from events beside the room's own record: who is in it, who no longer types, what I need not send. */
function afterEvents(state: State, roomId: RoomId, events: readonly Event[]): State {
  const messages = events.flatMap((event) => ("message" in event ? [event.message] : []));
  const next = applyMemberEvents(afterMessages(state, roomId, messages), roomId, events);
  const typists = next.typing.get(roomId);
  if (typists === undefined) return next;
  const wrote = new Set(
    events.flatMap((event) => (event.kind === "message" ? [event.message.sender.id] : [])),
  );
  const still = typists.filter(({ user }) => !wrote.has(user.id));
  return still.length === typists.length ? next : { ...next, typing: withList(next.typing, roomId, still) };
}

/** Messages that have a number are no longer in the outbox; changes that they show are no longer awaited. */
function afterMessages(state: State, roomId: RoomId, messages: readonly Message[]): State {
  const next = dropNumbered(state, roomId, messages);
  const changes = next.optimistic.get(roomId);
  const record = next.rooms.get(roomId);
  if (changes === undefined || record === undefined) return next;
  const left = changes.filter((change) => !settled(change, messageAt(record.log, change.seq)));
  return left.length === changes.length
    ? next
    : { ...next, optimistic: withList(next.optimistic, roomId, left) };
}
