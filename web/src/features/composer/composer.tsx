import { SendHorizontal, SmilePlus } from "lucide-react";
import {
  useEffect,
  useEffectEvent,
  useId,
  useImperativeHandle,
  useLayoutEffect,
  useRef,
  useState,
  type KeyboardEvent,
  type Ref,
} from "react";
import { useTranslation } from "../../i18n/use-translation";
import { refusalWordOf, type RefusalWord } from "../../i18n/problem";
import type { MessageId } from "../../protocol/ids";
import { useConfig, useOutbox, useSend, useSync } from "../../sync/hooks";
import type { Draft, RoomView } from "../../sync/views";
import { classNames } from "../../ui/class-names";
import { EmojiPopover } from "../../ui/emoji/emoji-popover";
import { rememberEmoji } from "../../ui/emoji/recent-emoji";
import { IconButton } from "../../ui/icon-button";
import { applyMarkdownKeys, replaceRange } from "../../ui/markdown-keys";
import { triggerAt, type Suggestion, type Trigger } from "./completion";
import { LengthNote, MutedNote, OfflineNote, RefusedNote } from "./composer-notes";
import { runesOver } from "./message-length";
import { ReplyBar } from "./reply-bar";
import { SuggestionList, suggestionId } from "./suggestion-list";
import { useDraftText } from "./use-draft-text";
import { useSuggestions } from "./use-suggestions";
import styles from "./composer.module.css";

/** What the screen around a composer can ask of it. */
export interface ComposerHandle {
  focus: () => void;
  /** Answers a message with what is written next. */
  reply: (id: MessageId) => void;
  /** Puts a message that was refused back to be changed. */
  takeBack: (draft: Draft) => void;
  /** Writes at the caret. */
  insert: (text: string) => void;
}

/** Where a message is written. Its state is its own: typing draws nothing else. */
export function Composer({
  room,
  onSent,
  onEditLast,
  onEscape,
  ref,
}: {
  room: RoomView;
  onSent: () => void;
  /** Opens my last message for editing; false if there is none. */
  onEditLast: () => boolean;
  onEscape: () => void;
  ref?: Ref<ComposerHandle>;
}) {
  const { t } = useTranslation();
  const sync = useSync();
  const send = useSend(room.id);
  const config = useConfig();
  const outbox = useOutbox(room.id);
  const { text, replyTo, type, replace } = useDraftText(room.id);
  const [refusal, setRefusal] = useState<RefusalWord | null>(null);
  const [trigger, setTrigger] = useState<Trigger | null>(null);
  const [chosenIndex, setChosenIndex] = useState(0);
  const field = useRef<HTMLTextAreaElement>(null);
  const listId = useId();
  const suggestions = useSuggestions(room.id, trigger);
  const chosen = Math.min(chosenIndex, suggestions.length - 1);
  const listOpen = trigger !== null && suggestions.length > 0;

  const limit = config.status === "ready" ? config.config.limits.message_runes : 0;
  const over = runesOver(text, limit) > 0;
  const canSend = text.trim() !== "" && !over;

  useImperativeHandle(ref, () => ({
    focus: () => field.current?.focus(),
    reply: (id) => {
      replace({ text, replyTo: id });
      field.current?.focus();
    },
    takeBack: (draft) => {
      replace({ text: [draft.text, text].filter(Boolean).join("\n"), replyTo: draft.replyTo ?? replyTo });
      field.current?.focus();
    },
    insert,
  }));

  // What the server refused goes back to where it can be changed, unless something else is being written there.
  const refused = outbox.find((entry) => entry.state === "refused");
  const bringBack = useEffectEvent(() => {
    if (!refused || text !== "") return;
    const word = refusalWordOf(refused.problem?.code);
    const draft = sync.messages.takeBack(refused.id);
    if (!draft) return;
    replace(draft);
    setRefusal(word);
  });
  useEffect(() => {
    // A refusal comes from outside, like an event; what it changes cannot be derived.
    // eslint-disable-next-line react-hooks/set-state-in-effect
    if (refused) bringBack();
  }, [refused]);

  // A draft goes on where it ended.
  useLayoutEffect(() => {
    const area = field.current;
    area?.setSelectionRange(area.value.length, area.value.length);
  }, []);

  // Where the browser cannot size a field by its content, its height follows by hand.
  useLayoutEffect(() => {
    const area = field.current;
    if (!area || CSS.supports("field-sizing", "content")) return;
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight}px`;
  }, [text]);

  function insert(words: string) {
    const area = field.current;
    if (area) replaceRange(area, area.selectionStart, area.selectionEnd, words);
  }

  function submit() {
    if (!canSend) return;
    send({ body: text.trim(), replyTo });
    replace({ text: "", replyTo: null });
    setTrigger(null);
    setRefusal(null);
    onSent();
    field.current?.focus();
  }

  function pick(suggestion: Suggestion) {
    if (!trigger || !field.current) return;
    if (suggestion.kind === "emoji") rememberEmoji(suggestion.unicode);
    setTrigger(null);
    replaceRange(field.current, trigger.start, trigger.end, suggestion.insert);
  }

  function onKeyDown(event: KeyboardEvent<HTMLTextAreaElement>) {
    // While a syllable is being composed every key belongs to the input method, also Enter.
    // Safari tells only by this old code that Enter has just ended a syllable.
    // eslint-disable-next-line @typescript-eslint/no-deprecated
    if (event.nativeEvent.isComposing || event.nativeEvent.keyCode === 229) return;
    if (listOpen && handleListKey(event)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey && !event.altKey && enterSends()) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && text === "" && !event.shiftKey) {
      if (onEditLast()) event.preventDefault();
    } else if (event.key === "Escape") {
      event.stopPropagation();
      if (replyTo !== null) replace({ text, replyTo: null });
      else onEscape();
    } else {
      applyMarkdownKeys(event.nativeEvent, event.currentTarget);
    }
  }

  function handleListKey(event: KeyboardEvent): boolean {
    const count = suggestions.length;
    if (event.key === "ArrowDown") setChosenIndex((chosen + 1) % count);
    else if (event.key === "ArrowUp") setChosenIndex((chosen + count - 1) % count);
    else if (event.key === "Escape") setTrigger(null);
    else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey)) pick(suggestions[chosen]!);
    else return false;
    return true;
  }

  if (room.mutedUntil !== null) return <MutedNote until={room.mutedUntil} />;
  return (
    <div className={styles.composer}>
      {refusal && <RefusedNote word={refusal} onClose={() => setRefusal(null)} />}
      <OfflineNote />
      <div className={styles.anchor}>
        {listOpen && (
          <SuggestionList
            id={listId}
            suggestions={suggestions}
            chosen={chosen}
            onChoose={setChosenIndex}
            onPick={pick}
          />
        )}
        <div className={classNames(styles.box, over && styles.over)}>
          {replyTo !== null && (
            <ReplyBar
              roomId={room.id}
              replyTo={replyTo}
              onCancel={() => {
                replace({ text, replyTo: null });
                field.current?.focus();
              }}
            />
          )}
          <div className={styles.line}>
            <textarea
              ref={field}
              className={styles.field}
              data-composer=""
              rows={1}
              dir="auto"
              aria-label={t("composer.label", { room: room.name })}
              placeholder={t("composer.placeholder", { room: room.name })}
              aria-autocomplete="list"
              aria-controls={listOpen ? listId : undefined}
              aria-activedescendant={listOpen ? suggestionId(listId, chosen) : undefined}
              aria-invalid={over || undefined}
              enterKeyHint={enterSends() ? "send" : "enter"}
              value={text}
              onChange={(event) => {
                const { value, selectionStart } = event.target;
                type(value);
                setTrigger(triggerAt(value, selectionStart));
                setChosenIndex(0);
                if (value !== "") sync.messages.typing(room.id);
              }}
              onSelect={(event) => {
                const { value, selectionStart, selectionEnd } = event.currentTarget;
                if (trigger && selectionStart === selectionEnd) setTrigger(triggerAt(value, selectionStart));
              }}
              onBlur={() => {
                setTrigger(null);
              }}
              onKeyDown={onKeyDown}
            />
            <div className={styles.tools}>
              <EmojiPopover
                trigger={(props) => (
                  <IconButton {...props} label={t("composer.emoji")} icon={<SmilePlus />} />
                )}
                onPick={(emoji) => {
                  insert(emoji);
                }}
              />
              <IconButton
                kind={canSend ? "accent" : "plain"}
                label={t("composer.send")}
                keys={["Enter"]}
                icon={<SendHorizontal />}
                aria-disabled={!canSend}
                onPointerDown={(event) => {
                  // The keyboard of a phone stays where it is.
                  event.preventDefault();
                }}
                onClick={submit}
              />
            </div>
          </div>
        </div>
        <LengthNote text={text} limit={limit} />
        <span className="visually-hidden" role="status">
          {listOpen && t("composer.suggestCount", { count: suggestions.length })}
        </span>
      </div>
    </div>
  );
}

/** On a touch screen Enter breaks the line and the button sends: its keyboard has no Shift+Enter. */
function enterSends(): boolean {
  return !window.matchMedia("(pointer: coarse) and (hover: none)").matches;
}
