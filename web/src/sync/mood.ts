import type { Event, MessageEvent } from "../protocol/model";
import type { Action } from "./reducer";
import type { MoodChange } from "./sync";

/** A new message has no mood yet, and a reaction leaves it as it is. */
function changesMood(event: Event): event is MessageEvent {
  return event.kind === "mood" || event.kind === "edit" || event.kind === "delete";
}

/** What an action says about moods; null if nothing. */
export function moodChangeOf(action: Action): MoodChange | null {
  switch (action.type) {
    case "events":
    case "changes": {
      const messages = action.events.filter(changesMood).map((event) => event.message);
      return messages.length === 0 ? null : { roomId: action.roomId, messages };
    }
    case "reset":
      return { roomId: action.roomId, messages: null };
    default:
      return null;
  }
}
