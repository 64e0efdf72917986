import type { UserId } from "../protocol/ids";
import type { Message, MessageEvent, Reaction } from "../protocol/model";

/** Whether `a` is the message after a later event than `b`. */
export function isLater(a: Message, b: Message): boolean {
  return a.changed_seq > b.changed_seq;
}

/**
 * Of two states of one message, the later one. Where its reactions do not say whether I am among them, the other state
 * is asked. Returns `held` itself when it says all that `incoming` says.
 */
export function mergeMessage(held: Message, incoming: Message): Message {
  const [later, earlier] = isLater(incoming, held) ? [incoming, held] : [held, incoming];
  if (later.reactions.every((reaction) => reaction.me !== undefined)) return later;
  const knownOf = (reaction: Reaction) =>
    reaction.me ?? earlier.reactions.find((other) => other.emoji === reaction.emoji)?.me;
  if (later.reactions.every((reaction) => knownOf(reaction) === reaction.me)) return later;
  const reactions = later.reactions.map((reaction) => ({ ...reaction, me: knownOf(reaction) }));
  return { ...later, reactions };
}

/**
 * Says of each reaction whether it is mine, where that can be known: the server names the first 100 who reacted, so
 * only of a list that is cut short and does not name me it cannot.
 */
export function withMyReactions(message: Message, me: UserId): Message {
  if (message.reactions.every((reaction) => reaction.me !== undefined)) return message;
  const reactions = message.reactions.map((reaction): Reaction => {
    if (reaction.me !== undefined) return reaction;
    if (reaction.user_ids.includes(me)) return { ...reaction, me: true };
    return reaction.user_ids.length >= reaction.count ? { ...reaction, me: false } : reaction;
  });
  return { ...message, reactions };
}

/** The message of an event; if the event is my own reaction, it says so even where 100 others came before me. */
export function messageOfEvent(event: MessageEvent, me: UserId): Message {
  const message = withMyReactions(event.message, me);
  const changed = event.reaction;
  // The body is the newest one: only if nothing changed since does the event speak of this state of the message.
  if (changed === undefined || event.actor?.id !== me || message.changed_seq !== event.seq) return message;
  const reactions = message.reactions.map((reaction) =>
    reaction.emoji === changed.emoji ? { ...reaction, me: changed.added } : reaction,
  );
  return { ...message, reactions };
}
