import { CornerUpRight } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import type { Message } from "../../protocol/model";
import { plainText } from "../../ui/markdown/parse";
import { useTimelineActions } from "./timeline-actions";
import styles from "./message-row.module.css";

/** The line above an answer that says what it answers, and leads there. */
export function ReplyQuote({ quoted }: { quoted: Message | undefined }) {
  const { t } = useTranslation();
  const { jumpTo } = useTimelineActions();
  if (!quoted) {
    return (
      <span className={styles.quote}>
        <CornerUpRight aria-hidden="true" />
        {t("message.replyUnknown")}
      </span>
    );
  }
  const gone = quoted.deleted_at !== null;
  return (
    <button
      type="button"
      className={styles.quote}
      title={t("message.replyJump")}
      onClick={() => {
        jumpTo(quoted.seq);
      }}
    >
      <CornerUpRight aria-hidden="true" />
      <bdi className={styles.quoteName}>{quoted.sender.display_name}</bdi>
      <span className={styles.quoteText}>{gone ? t("message.replyGone") : plainText(quoted.body, 120)}</span>
    </button>
  );
}
