import { createContext, use } from "react";
import type { MessageId, Seq } from "../../protocol/ids";
import type { Message } from "../../protocol/model";

/** What rows can do; one object for the life of a room, so that rows need not be drawn again for it. */
export interface TimelineActions {
  reply: (message: Message) => void;
  startEdit: (id: MessageId) => void;
  saveEdit: (message: Message, body: string) => void;
  cancelEdit: () => void;
  askRemove: (message: Message) => void;
  toggleReaction: (message: Message, emoji: string) => void;
  copyText: (message: Message) => void;
  copyLink: (message: Message) => void;
  markUnread: (seq: Seq) => void;
  jumpTo: (seq: Seq) => void;
  sendNow: () => void;
  discard: (id: MessageId) => void;
  takeBack: (id: MessageId) => void;
  loadHole: (hole: { after: Seq; before: Seq }, from: "after" | "before") => void;
}

const TimelineActionsContext = createContext<TimelineActions | null>(null);

/** Gives rows their actions. */
export const TimelineActionsProvider = TimelineActionsContext;

/** What the rows of this timeline can do. */
export function useTimelineActions(): TimelineActions {
  const actions = use(TimelineActionsContext);
  if (!actions) throw new Error("useTimelineActions outside a timeline");
  return actions;
}

/** What I may do in this room. */
export interface Rights {
  /** Delete what others wrote. */
  moderate: boolean;
  /** Write, edit and react: not while muted. */
  write: boolean;
}
