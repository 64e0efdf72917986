import { useTranslation } from "../../i18n/use-translation";
import { formatDate, formatDay, formatNames } from "../../i18n/format";
import type { RoomView } from "../../sync/views";
import { Button } from "../../ui/button";
import styles from "./line-rows.module.css";

/** Where one day ends and another begins. */
export function DayLine({ time }: { time: string }) {
  const { t } = useTranslation();
  return (
    <h2 className={styles.day}>
      <span>{formatDay(time, t)}</span>
    </h2>
  );
}

/** Where what I have not read begins. */
export function NewLine() {
  const { t } = useTranslation();
  return (
    <div className={styles.new} role="separator" aria-label={t("timeline.new")}>
      <span aria-hidden="true">{t("timeline.new")}</span>
    </div>
  );
}

/** The very top of a room. */
export function RoomBeginning({
  room,
  creator,
  empty,
}: {
  room: RoomView;
  creator: string | null;
  empty: boolean;
}) {
  const { t } = useTranslation();
  const date = formatDate(room.createdAt);
  return (
    <div className={styles.beginning}>
      <h2 className={styles.beginningTitle}>{t("timeline.beginTitle", { room: room.name })}</h2>
      <p>
        {creator === null
          ? t("timeline.beginLeadNobody", { date })
          : t("timeline.beginLead", { name: creator, date })}
      </p>
      {empty && <p>{t("timeline.emptyLead")}</p>}
    </div>
  );
}

/** What stands at an end of the rows while more is fetched, or could not be. */
export function EdgeLine({ state, onRetry }: { state: "loading" | "failed"; onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.edge} role="status">
      {state === "loading" ? (
        t("timeline.loadingOlder")
      ) : (
        <>
          <span>{t("timeline.failedTitle")}</span>
          <Button onClick={onRetry}>{t("common.retry")}</Button>
        </>
      )}
    </div>
  );
}

/** Who is writing, above the composer; it takes its height also while nobody is. */
export function TypingWords({ names }: { names: readonly string[] }) {
  const { t } = useTranslation();
  if (names.length === 0) return null;
  if (names.length > 3) return t("timeline.typingMany");
  return t("timeline.typing", { names: formatNames(names, t), count: names.length });
}
