import { Clock } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatDateTime, formatExact, formatTime } from "../../i18n/format";
import type { Message, User } from "../../protocol/model";
import type { OutboxEntry, PendingChange } from "../../sync/views";
import { Avatar } from "../../ui/avatar";
import { classNames } from "../../ui/class-names";
import { useLongPress } from "../../ui/use-long-press";
import { MessageActions } from "./message-actions";
import { MessageBody } from "./message-body";
import { MessageEditor } from "./message-editor";
import { MoodMark } from "./mood-mark";
import { PendingNote } from "./pending-note";
import { Reactions } from "./reactions";
import { ReplyQuote } from "./reply-quote";
import type { Rights } from "./timeline-actions";
import styles from "./message-row.module.css";

/** Props of {@link MessageRow}; all of them keep their identity until something in the row changes. */
export interface MessageRowProps {
  /** What was sent, or what is still in the outbox. */
  message: Message | null;
  entry: OutboxEntry | null;
  pendingChange: PendingChange | null;
  me: User;
  rights: Rights;
  /** Whether messages here show how they sound. */
  moods: boolean;
  grouped: boolean;
  quoted: Message | null | undefined;
  /** Pointed at or focused: shows what can be done. */
  active: boolean;
  /** The one row that Tab leads to. */
  tabbable: boolean;
  editing: boolean;
  flash: boolean;
  /** Which of its floating parts a key has opened. */
  opened: "menu" | "picker" | null;
  onOpenedChange: (opened: "menu" | "picker" | null) => void;
}

/** A message: who, when, what, and what became of it. */
export const MessageRow = memo(function MessageRow(props: MessageRowProps) {
  const {
    message,
    entry,
    pendingChange,
    me,
    rights,
    moods,
    grouped,
    quoted,
    active,
    tabbable,
    editing,
    flash,
  } = props;
  const { t } = useTranslation();
  const longPress = useLongPress(() => {
    props.onOpenedChange("menu");
  });

  const sender = message?.sender ?? me;
  const time = message?.created_at ?? entry!.createdAt;
  const id = message?.id ?? entry!.id;
  const deleted = message !== null && message.deleted_at !== null;
  const state = entry?.state ?? "sent";
  const mentionsMe =
    message !== null &&
    !deleted &&
    sender.id !== me.id &&
    (message.mentions_all || message.mentions.includes(me.id));
  // What sounds like nothing in particular is worth a mark only to who asks.
  const sentiment = moods ? (message?.sentiment ?? null) : null;
  const mood = sentiment !== null && (sentiment.label !== "neutral" || active) ? sentiment.label : null;
  const named = message === null || message.mentions_all || message.mentions.length > 0;
  return (
    <div
      {...longPress}
      role="article"
      tabIndex={tabbable ? 0 : -1}
      className={classNames(
        styles.row,
        grouped ? styles.grouped : styles.first,
        active && styles.active,
        mentionsMe && styles.mentionsMe,
        moods && styles.moods,
        editing && styles.editing,
        flash && styles.flash,
        (state === "sending" || state === "waiting") && styles.unsent,
      )}
      aria-label={t("message.label", { name: sender.display_name, time: formatTime(time) })}
      data-message-id={id}
      data-seq={message?.seq}
      data-state={deleted ? "deleted" : state}
      data-message-row=""
    >
      <div className={styles.gutter}>
        {grouped ? (
          <time className={styles.gutterTime} dateTime={time} title={formatExact(time)}>
            {formatTime(time)}
          </time>
        ) : (
          <Avatar id={sender.id} name={sender.display_name} picture={sender.avatar_url} />
        )}
      </div>
      <div className={styles.main}>
        {quoted !== null && <ReplyQuote quoted={quoted} />}
        {!grouped && (
          <div className={styles.header}>
            <bdi className={styles.name}>{sender.display_name}</bdi>
            <time className={styles.time} dateTime={time} title={formatExact(time)}>
              {formatTime(time)}
            </time>
          </div>
        )}
        {editing && message ? (
          <MessageEditor message={message} />
        ) : deleted ? (
          <p className={styles.deleted}>{t("message.deleted")}</p>
        ) : (
          <div className={styles.content}>
            <MessageBody id={id} body={message?.body ?? entry!.body} named={named} />
            {message?.edited_at && (
              <span
                className={styles.edited}
                title={t("message.editedAt", { when: formatDateTime(message.edited_at) })}
              >
                {t("message.edited")}
              </span>
            )}
            {(state === "sending" || pendingChange === "edit") && (
              <Clock className={styles.clock} role="img" aria-label={t("message.sending")} />
            )}
            {mood && <MoodMark mood={mood} />}
          </div>
        )}
        {entry && <PendingNote entry={entry} />}
        {message && !deleted && <Reactions message={message} canReact={rights.write} />}
      </div>
      {message && !deleted && !editing && (active || props.opened !== null) && (
        <MessageActions
          message={message}
          mine={sender.id === me.id}
          rights={rights}
          menuOpen={props.opened === "menu"}
          pickerOpen={props.opened === "picker"}
          onMenuOpenChange={(open) => {
            props.onOpenedChange(open ? "menu" : null);
          }}
          onPickerOpenChange={(open) => {
            props.onOpenedChange(open ? "picker" : null);
          }}
        />
      )}
    </div>
  );
});
