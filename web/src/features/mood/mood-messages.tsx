import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatDateTime, formatExact, formatNumber, formatSpan, formatTime } from "../../i18n/format";
import type { MoodBucket, MoodStep } from "../../protocol/http";
import type { RoomId, Seq } from "../../protocol/ids";
import type { Message } from "../../protocol/model";
import { Button } from "../../ui/button";
import { LoadFailure } from "../../ui/load-failure";
import { plainText } from "../../ui/markdown/parse";
import { MoodIcon, moodLabels, type MoodLabel } from "../../ui/mood-icon";
import { SkeletonRows } from "../../ui/skeleton";
import { useRovingFocus } from "../../ui/use-roving-focus";
import { Segments } from "./segments";
import { totalOf, type Slot } from "./slots";
import { useBucketMessages } from "./use-bucket-messages";
import styles from "./mood.module.css";

/** The messages behind a bar: all, or those of one mood. Each leads to its place in the conversation. */
export function MoodMessages({
  roomId,
  step,
  slot,
  bucket,
  onShow,
}: {
  roomId: RoomId;
  step: MoodStep;
  slot: Slot;
  bucket: MoodBucket;
  onShow: (seq: Seq) => void;
}) {
  const { t } = useTranslation();
  const [only, setOnly] = useState<MoodLabel | "all">("all");
  const { rows, loading, more, problem, loadMore } = useBucketMessages({
    roomId,
    slot,
    bucket,
    only: only === "all" ? null : only,
  });
  const roving = useRovingFocus(
    rows.map(({ id }) => id),
    null,
  );
  const span = formatSpan(slot.start, slot.end, step);
  return (
    <section className={styles.messages} aria-label={t("mood.found", { count: totalOf(bucket), span })}>
      <h3 className={styles.heading}>{span}</h3>
      <Segments
        legend={t("mood.filter")}
        value={only}
        onChange={setOnly}
        options={[
          { value: "all", label: `${t("mood.all")} ${formatNumber(totalOf(bucket))}` },
          ...moodLabels.map((label) => ({
            value: label,
            label: (
              <>
                <MoodIcon mood={label} />
                <span className="visually-hidden">{t(`mood.${label}`)}</span> {formatNumber(bucket[label])}
              </>
            ),
          })),
        ]}
      />
      <ul className={styles.list} {...roving.handlers}>
        {rows.map((message) => (
          <li key={message.id}>
            <MessageLine
              message={message}
              timeOnly={step === "hour"}
              tabIndex={roving.tabIndexOf(message.id)}
              onShow={onShow}
            />
          </li>
        ))}
      </ul>
      {loading && (
        <SkeletonRows count={rows.length > 0 ? 1 : 3} label={t("common.loading")} avatars={false} />
      )}
      {!loading && !more && rows.length === 0 && (
        <p className={styles.note}>{t(only === "all" ? "mood.gone" : "mood.none")}</p>
      )}
      {problem !== null && <LoadFailure problem={problem} onRetry={loadMore} />}
      {more && !loading && problem === null && <Button onClick={loadMore}>{t("common.loadMore")}</Button>}
    </section>
  );
}

function MessageLine({
  message,
  timeOnly,
  tabIndex,
  onShow,
}: {
  message: Message;
  timeOnly: boolean;
  tabIndex: number;
  onShow: (seq: Seq) => void;
}) {
  const { t } = useTranslation();
  const { id, seq, sender, body, created_at, sentiment } = message;
  return (
    <button
      type="button"
      className={styles.message}
      data-roving={id}
      tabIndex={tabIndex}
      onClick={() => {
        onShow(seq);
      }}
    >
      {sentiment && (
        <>
          <MoodIcon mood={sentiment.label} />
          <span className="visually-hidden">{t(`mood.${sentiment.label}`)}</span>
        </>
      )}
      <span className={styles.messageWords}>
        <span className={styles.messageHead}>
          <bdi className={styles.messageName}>{sender.display_name}</bdi>{" "}
          <time dateTime={created_at} title={formatExact(created_at)}>
            {timeOnly ? formatTime(created_at) : formatDateTime(created_at)}
          </time>
        </span>{" "}
        <span className={styles.messageText}>{plainText(body)}</span>
      </span>
    </button>
  );
}
