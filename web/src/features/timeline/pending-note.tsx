import { CircleAlert, CloudOff } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import { refusalWordOf } from "../../i18n/problem";
import type { OutboxEntry } from "../../sync/views";
import { classNames } from "../../ui/class-names";
import { useTimelineActions } from "./timeline-actions";
import styles from "./message-row.module.css";

/** What keeps a message from being sent, and what can be done about it; nothing while it is on its way. */
export function PendingNote({ entry }: { entry: OutboxEntry }) {
  const { t } = useTranslation();
  const actions = useTimelineActions();
  if (entry.state !== "waiting" && entry.state !== "refused") return null;
  const refused = entry.state === "refused";
  return (
    <div className={classNames(styles.note, refused && styles.noteRefused)}>
      <span className={styles.noteWords}>
        {refused ? <CircleAlert aria-hidden="true" /> : <CloudOff aria-hidden="true" />}
        {refused
          ? `${t("message.refused")}: ${t(`composer.refused.${refusalWordOf(entry.problem?.code)}`)}`
          : t("message.waiting")}
      </span>
      <button
        type="button"
        className={styles.linkButton}
        onClick={() => {
          if (refused) actions.takeBack(entry.id);
          else actions.sendNow();
        }}
      >
        {refused ? t("message.edit") : t("message.sendNow")}
      </button>
      <button
        type="button"
        className={styles.linkButton}
        onClick={() => {
          actions.discard(entry.id);
        }}
      >
        {t("message.delete")}
      </button>
    </div>
  );
}
