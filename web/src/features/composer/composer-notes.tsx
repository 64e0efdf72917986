import { CloudOff, MicOff, X } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import { formatDateTime } from "../../i18n/format";
import type { RefusalWord } from "../../i18n/problem";
import type { Timestamp } from "../../protocol/model";
import { useConnection } from "../../sync/hooks";
import { IconButton } from "../../ui/icon-button";
import { lengthShownFrom } from "./message-length";
import { runeCount } from "../../ui/rune-count";
import styles from "./composer.module.css";

/** Says that a message was refused, and why; its text is in the field again. */
export function RefusedNote({ word, onClose }: { word: RefusalWord; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.refused} role="alert">
      <span>{t("message.refusedBack", { reason: t(`composer.refused.${word}`) })}</span>
      <IconButton size="small" label={t("common.close")} icon={<X />} onClick={onClose} />
    </div>
  );
}

/** Without a connection: that writing goes on. */
export function OfflineNote() {
  const { t } = useTranslation();
  const connection = useConnection();
  if (connection.status !== "offline") return null;
  return (
    <p className={styles.note}>
      <CloudOff aria-hidden="true" />
      {t("composer.offline")}
    </p>
  );
}

/** Further away than any mute for a time: it ends when somebody lifts it. */
const foreverMs = 3 * 365 * 86_400_000;

/** Stands in place of the field while I may not write. */
export function MutedNote({ until }: { until: Timestamp }) {
  const { t } = useTranslation();
  const forGood = Date.parse(until) - Date.parse(new Date().toISOString()) > foreverMs;
  return (
    <div className={styles.composer}>
      <p className={styles.mutedNote} role="note">
        <MicOff aria-hidden="true" />
        {forGood ? t("composer.mutedForGood") : t("composer.muted", { until: formatDateTime(until) })}
      </p>
    </div>
  );
}

/** How much room is left, shown when it becomes scarce. */
export function LengthNote({ text, limit }: { text: string; limit: number }) {
  const { t } = useTranslation();
  if (limit === 0 || text.length < limit * lengthShownFrom) return null;
  const left = limit - runeCount(text.trim());
  if (left > limit * (1 - lengthShownFrom)) return null;
  const count = Math.abs(left);
  return (
    <p className={left < 0 ? styles.lengthOver : styles.length} aria-live="polite">
      {t(left < 0 ? "composer.over" : "composer.left", { count })}
    </p>
  );
}
