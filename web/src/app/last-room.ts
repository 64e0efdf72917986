import type { RoomId } from "../protocol/ids";
import type { RoomSummary } from "../sync/views";

const storageKey = "blabber-hive:last-room";

/** Remembers on this device which room was open last. */
export function rememberRoom(roomId: RoomId): void {
  localStorage.setItem(storageKey, roomId);
}

/** The room to open first: the one that was open last, else the one with the newest activity. */
export function roomToOpen(rooms: readonly RoomSummary[]): RoomId | null {
  const last = localStorage.getItem(storageKey);
  return (rooms.find((room) => room.id === last) ?? rooms[0])?.id ?? null;
}
