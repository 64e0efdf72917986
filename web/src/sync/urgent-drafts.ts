import type { RoomId, UserId } from "../protocol/ids";
import type { Draft } from "./views";

/**
 * Drafts on their way to the database. A page that goes takes its open transactions with it, but what it notes here is
 * noted at once: the next page brings it to where it belongs.
 */
export class UrgentDrafts {
  private readonly prefix: string;

  constructor(userId: UserId) {
    this.prefix = `blabber-hive-draft-${userId}-`;
  }

  /** Notes what was written last in a room, null where nothing is left of it; returns the note. */
  note(roomId: RoomId, draft: Draft | null): string {
    const note = JSON.stringify(draft);
    localStorage.setItem(this.prefix + roomId, note);
    return note;
  }

  /** Lets go of a note that has arrived, unless a later one has taken its place. */
  arrived(roomId: RoomId, note: string): void {
    const key = this.prefix + roomId;
    if (localStorage.getItem(key) === note) localStorage.removeItem(key);
  }

  /** What has not arrived. */
  waiting(): { roomId: RoomId; draft: Draft | null }[] {
    return this.keys().map((key) => ({
      roomId: key.slice(this.prefix.length) as RoomId,
      draft: JSON.parse(localStorage.getItem(key) ?? "null") as Draft | null,
    }));
  }

  clear(): void {
    for (const key of this.keys()) localStorage.removeItem(key);
  }

  private keys(): string[] {
    return Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
  }
}
