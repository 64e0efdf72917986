import { useCallback, useEffect, useRef, useState } from "react";
import type { MessageId, RoomId } from "../../protocol/ids";
import { useDraft, useSync } from "../../sync/hooks";

const savedAfterMs = 400;

/**
 * The text in the field and what it answers. Typing changes only the field; the draft on the device follows when the
 * keys rest, and at once when the room is left.
 */
export function useDraftText(roomId: RoomId) {
  const { messages } = useSync();
  const draft = useDraft(roomId);
  // Until something is typed the field shows the draft, which may come from the device a moment later.
  const [typed, setTyped] = useState<string | null>(null);
  const text = typed ?? draft.text;
  const unsaved = useRef<{ text: string; timer: ReturnType<typeof setTimeout> } | null>(null);
  const replyTo = useRef<MessageId | null>(draft.replyTo);
  useEffect(() => {
    replyTo.current = draft.replyTo;
  }, [draft.replyTo]);

  const save = useCallback(() => {
    const pending = unsaved.current;
    if (!pending) return;
    clearTimeout(pending.timer);
    unsaved.current = null;
    messages.setDraft(roomId, { text: pending.text, replyTo: replyTo.current });
  }, [messages, roomId]);

  useEffect(() => {
    window.addEventListener("pagehide", save);
    return () => {
      window.removeEventListener("pagehide", save);
      save();
    };
  }, [save]);

  const type = useCallback(
    (next: string) => {
      setTyped(next);
      if (unsaved.current) clearTimeout(unsaved.current.timer);
      unsaved.current = { text: next, timer: setTimeout(save, savedAfterMs) };
    },
    [save],
  );

  /** Replaces text and reply at once, on the device too. */
  const replace = useCallback(
    (next: { text: string; replyTo: MessageId | null }) => {
      if (unsaved.current) clearTimeout(unsaved.current.timer);
      unsaved.current = null;
      setTyped(next.text);
      messages.setDraft(roomId, next);
    },
    [messages, roomId],
  );

  return { text, replyTo: draft.replyTo, type, replace };
}
