import type { MessageId, RoomId, Seq } from "../protocol/ids";
import type { Message } from "../protocol/model";
import { withList } from "./collections";
import type { QueuedMessage, State } from "./state";

/** The entries of all rooms by room, each in the order they were written. */
export function groupByRoom(entries: readonly QueuedMessage[]): State["outbox"] {
  const rooms = new Map<RoomId, QueuedMessage[]>();
  for (const entry of [...entries].sort((a, b) => a.order - b.order)) {
    const room = rooms.get(entry.roomId);
    if (room) room.push(entry);
    else rooms.set(entry.roomId, [entry]);
  }
  return rooms;
}

export function queuedOf(state: State, id: MessageId): QueuedMessage | undefined {
  for (const entries of state.outbox.values()) {
    const entry = entries.find((queued) => queued.id === id);
    if (entry !== undefined) return entry;
  }
  return undefined;
}

/** The state with that entry in its place; an entry with the same id is replaced. */
export function putQueued(state: State, entry: QueuedMessage): State {
  const others = (state.outbox.get(entry.roomId) ?? []).filter((other) => other.id !== entry.id);
  const at = others.findIndex((other) => other.order > entry.order);
  const queued = others.toSpliced(at === -1 ? others.length : at, 0, entry);
  return { ...state, outbox: withList(state.outbox, entry.roomId, queued) };
}

export function dropQueued(state: State, id: MessageId): State {
  const entry = queuedOf(state, id);
  if (entry === undefined) return state;
  const left = state.outbox.get(entry.roomId)!.filter((other) => other !== entry);
  return { ...state, outbox: withList(state.outbox, entry.roomId, left) };
}

/** Messages that have a number are no longer in the outbox. */
export function dropNumbered(state: State, roomId: RoomId, messages: readonly Message[]): State {
  const queued = state.outbox.get(roomId);
  if (queued === undefined) return state;
  const numbered = new Set(messages.map((message) => message.id));
  const left = queued.filter((entry) => !numbered.has(entry.id));
  return left.length === queued.length ? state : { ...state, outbox: withList(state.outbox, roomId, left) };
}

/**
 * The server has the message for good. Its event puts it in its place; if the room is past its number already, the
 * event was seen before the ack, or long ago, and nothing is left to wait for.
 */
export function ackQueued(state: State, id: MessageId, seq: Seq | undefined): State {
  const entry = queuedOf(state, id);
  if (entry === undefined) return state;
  const record = state.rooms.get(entry.roomId);
  if (record === undefined || (seq !== undefined && seq <= record.position)) return dropQueued(state, id);
  return putQueued(state, { ...entry, stage: "acked", problem: null });
}
