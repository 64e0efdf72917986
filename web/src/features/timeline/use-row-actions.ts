import { useLayoutEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { MessageId, RoomId, Seq } from "../../protocol/ids";
import type { Message } from "../../protocol/model";
import { useMessageActions, useSync } from "../../sync/hooks";
import type { Draft } from "../../sync/views";
import { describeProblem } from "../../i18n/problem";
import { rememberEmoji } from "../../ui/emoji/recent-emoji";
import { useToast } from "../../ui/toast";
import type { TimelineActions } from "./timeline-actions";

/** What of a row is changed now, and everything that rows can do; the actions are one object for the life of the room. */
export function useRowActions(given: {
  roomId: RoomId;
  onReply: (message: Message) => void;
  onTakeBack: (draft: Draft) => void;
  onJump: (seq: Seq) => void;
  onMarkUnread: () => void;
  /** Editing is over: the focus goes back to where one writes. */
  onEditDone: () => void;
}) {
  const { roomId } = given;
  const sync = useSync();
  const messages = useMessageActions(roomId);
  const toast = useToast();
  const { t } = useTranslation();
  const [editing, setEditing] = useState<MessageId | null>(null);
  const [removing, setRemoving] = useState<Message | null>(null);

  // What is handed in is made anew on each render; the actions read the newest when they are used.
  const handed = useRef(given);
  useLayoutEffect(() => {
    handed.current = given;
  });

  const actions = useMemo((): TimelineActions => {
    const tellFailure = (error: unknown) => {
      toast({ message: describeProblem(error, t) });
    };
    const copy = (text: string, message: string) => {
      navigator.clipboard.writeText(text).then(() => {
        toast({ message });
      }, tellFailure);
    };
    const finishEdit = () => {
      setEditing(null);
      handed.current.onEditDone();
    };
    return {
      reply: (message) => {
        handed.current.onReply(message);
      },
      startEdit: setEditing,
      saveEdit: (message, body) => {
        finishEdit();
        messages.edit(message.id, body).catch(tellFailure);
      },
      cancelEdit: finishEdit,
      askRemove: setRemoving,
      toggleReaction: (message, emoji) => {
        const mine = message.reactions.some((reaction) => reaction.emoji === emoji && reaction.me === true);
        if (!mine) rememberEmoji(emoji);
        (mine ? messages.unreact(message.id, emoji) : messages.react(message.id, emoji)).catch(tellFailure);
      },
      copyText: (message) => {
        copy(message.body, t("message.textCopied"));
      },
      copyLink: (message) => {
        copy(`${location.origin}/rooms/${roomId}?at=${message.seq}`, t("message.linkCopied"));
      },
      markUnread: (seq) => {
        handed.current.onMarkUnread();
        messages.markUnreadFrom(seq).catch(tellFailure);
      },
      jumpTo: (seq) => {
        handed.current.onJump(seq);
      },
      sendNow: () => {
        sync.messages.sendNow(roomId);
      },
      discard: (id) => {
        sync.messages.discard(id);
      },
      takeBack: (id) => {
        const draft = sync.messages.takeBack(id);
        if (draft) handed.current.onTakeBack(draft);
      },
      loadHole: (hole, from) => {
        // The hole itself shows that it failed.
        sync.timeline.loadHole(roomId, hole, from).catch(() => undefined);
      },
    };
  }, [messages, roomId, sync, t, toast]);

  return { actions, editing, removing, setRemoving };
}
