import type { RoomId } from "../protocol/ids";

/** The room that an address names; null where it names none. */
export function roomOf(pathname: string): RoomId | null {
  return (/^\/rooms\/([^/]+)$/.exec(pathname)?.[1] ?? null) as RoomId | null;
}

/** Whether an address leads to people who are signed in. */
export function isHiveAddress(pathname: string): boolean {
  return ["/", "/browse", "/settings"].includes(pathname) || roomOf(pathname) !== null;
}
