import type { UserId } from "../protocol/ids";
import type { Message, Reaction } from "../protocol/model";
import type { OptimisticChange } from "./state";

/** Whether the message already is what the change wants; a message that is not held has nothing to be changed. */
export function settled({ change }: OptimisticChange, message: Message | undefined): boolean {
  if (message === undefined || message.deleted_at !== null) return true;
  switch (change.kind) {
    case "edit":
      return message.body === change.body;
    case "remove":
      return false;
    case "reaction":
      return isMine(message, change.emoji) === change.on;
  }
}

function isMine(message: Message, emoji: string): boolean {
  return message.reactions.find((reaction) => reaction.emoji === emoji)?.me === true;
}

/** The message as it will be when the server has made my changes, in the order I made them. */
export function withChanges(
  message: Message,
  changes: readonly OptimisticChange[],
  me: UserId,
  nowIso: string,
): Message {
  return changes.reduce((shown, { change }) => {
    switch (change.kind) {
      case "edit":
        // How the new words sound nobody has said yet.
        return { ...shown, body: change.body, sentiment: null, edited_at: shown.edited_at ?? nowIso };
      case "remove":
        return {
          ...shown,
          body: "",
          reactions: [],
          attachments: [],
          sentiment: null,
          deleted_at: shown.deleted_at ?? nowIso,
        };
      case "reaction":
        return { ...shown, reactions: withReaction(shown.reactions, change.emoji, change.on, me) };
    }
  }, message);
}

function withReaction(reactions: readonly Reaction[], emoji: string, on: boolean, me: UserId): Reaction[] {
  const held = reactions.find((reaction) => reaction.emoji === emoji);
  if (held === undefined) {
    return on ? [...reactions, { emoji, count: 1, me: true, user_ids: [me] }] : [...reactions];
  }
  if ((held.me ?? false) === on) return [...reactions];
  const others = held.user_ids.filter((id) => id !== me);
  const changed: Reaction = {
    emoji,
    count: held.count + (on ? 1 : -1),
    me: on,
    user_ids: on ? [...others, me] : others,
  };
  return reactions.flatMap((reaction) =>
    reaction !== held ? [reaction] : changed.count > 0 ? [changed] : [],
  );
}
