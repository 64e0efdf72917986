import type { Emoji } from "../../ui/emoji/emoji-data";
import { searchEmoji } from "../../ui/emoji/emoji-data";
import type { User } from "../../protocol/model";
import type { RoomSummary } from "../../sync/views";

/** What is being completed: the sign, the letters after it, and where they stand in the text. */
export interface Trigger {
  readonly sign: "@" | "#" | ":";
  readonly query: string;
  readonly start: number;
  readonly end: number;
}

const triggerPattern = /(?:^|[\s([{"'“‘])(?:([@#])([\p{L}\p{N}_.-]{0,40})|(:)([\p{L}\p{N}_+-]{2,40}))$/u;

/** The word before the caret if it asks for suggestions. */
export function triggerAt(text: string, caret: number): Trigger | null {
  const match = triggerPattern.exec(text.slice(Math.max(0, caret - 64), caret));
  if (!match) return null;
  const sign = (match[1] ?? match[3]) as Trigger["sign"];
  const query = match[2] ?? match[4] ?? "";
  return { sign, query, start: caret - query.length - 1, end: caret };
}

/** Something to put in place of a {@link Trigger}. */
export type Suggestion =
  | { kind: "person"; key: string; user: User; insert: string }
  | { kind: "all"; key: string; insert: string }
  | { kind: "room"; key: string; room: RoomSummary; insert: string }
  | { kind: "emoji"; key: string; unicode: string; shortcode: string; insert: string };

const suggestionsMax = 8;

/** Whether a name has a word that begins with these letters. */
function matches(name: string, wanted: string): boolean {
  const lower = name.toLowerCase();
  return lower.startsWith(wanted) || lower.split(/[\s_.-]+/u).some((word) => word.startsWith(wanted));
}

/** People to mention, everybody last. */
export function suggestPeople(people: readonly User[], query: string): Suggestion[] {
  const wanted = query.toLowerCase();
  const found = new Map<string, User>();
  for (const user of people) {
    if (found.size >= suggestionsMax - 1) break;
    if (matches(user.username, wanted) || matches(user.display_name, wanted)) found.set(user.id, user);
  }
  const suggestions: Suggestion[] = [...found.values()].map((user) => ({
    kind: "person",
    key: user.id,
    user,
    insert: `@${user.username} `,
  }));
  if ("all".startsWith(wanted)) suggestions.push({ kind: "all", key: "all", insert: "@all " });
  return suggestions;
}

/** Rooms to point to. A name with spaces cannot be written after #, so it becomes a link. */
export function suggestRooms(rooms: readonly RoomSummary[], query: string, origin: string): Suggestion[] {
  const wanted = query.toLowerCase();
  return rooms
    .filter((room) => room.name !== "" && matches(room.name, wanted))
    .slice(0, suggestionsMax)
    .map((room) => ({
      kind: "room",
      key: room.id,
      room,
      insert: /^[\p{L}\p{N}][\p{L}\p{N}_-]*$/u.test(room.name)
        ? `#${room.name} `
        : `[#${room.name.replace(/[[\]\\]/g, "\\$&")}](${origin}/rooms/${room.id}) `,
    }));
}

/** Emoji by their short names. */
export function suggestEmoji(all: readonly Emoji[], query: string): Suggestion[] {
  return searchEmoji(all, query, suggestionsMax).map((emoji) => ({
    kind: "emoji",
    key: emoji.unicode,
    unicode: emoji.unicode,
    shortcode:
      emoji.shortcodes.find((code) => code.startsWith(query.toLowerCase())) ??
      emoji.shortcodes[0] ??
      emoji.label,
    insert: `${emoji.unicode} `,
  }));
}
