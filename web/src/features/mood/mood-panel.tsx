import { ChevronLeft, ChevronRight } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatNumber, formatSigned, formatSpan } from "../../i18n/format";
import type { MoodStep } from "../../protocol/http";
import type { RoomId, Seq } from "../../protocol/ids";
import { useConnection } from "../../sync/hooks";
import type { RoomView } from "../../sync/views";
import { Button } from "../../ui/button";
import { EmptyState } from "../../ui/empty-state";
import { IconButton } from "../../ui/icon-button";
import { useAnnouncer } from "../../ui/live-region";
import { LoadFailure } from "../../ui/load-failure";
import { MoodIcon, moodLabels } from "../../ui/mood-icon";
import { Panel } from "../../ui/panel";
import { MoodChart } from "./mood-chart";
import { MoodMessages } from "./mood-messages";
import { Segments } from "./segments";
import { spanOf, sumOf, totalOf, type Bar } from "./slots";
import { useMoodTimeline } from "./use-mood-timeline";
import styles from "./mood.module.css";

const steps = ["hour", "day", "week"] as const satisfies readonly MoodStep[];

/** How a room has sounded, hour by hour or week by week, and the messages behind it. */
export default function MoodPanel({
  room,
  autoFocus,
  onClose,
  onShow,
  onSettings,
}: {
  room: RoomView;
  /** Takes the focus, since somebody asked for it. */
  autoFocus: boolean;
  onClose: () => void;
  /** Shows a message in the conversation. */
  onShow: (seq: Seq) => void;
  onSettings: () => void;
}) {
  const { t } = useTranslation();
  return (
    <Panel title={t("mood.title")} onClose={onClose}>
      {room.moodEnabled ? (
        <MoodOverTime roomId={room.id} autoFocus={autoFocus} onShow={onShow} />
      ) : (
        <EmptyState
          level={3}
          title={t("mood.offTitle")}
          actions={room.role === "owner" && <Button onClick={onSettings}>{t("room.settings")}</Button>}
        >
          {t(room.role === "owner" ? "mood.offOwner" : "mood.offLead")}
        </EmptyState>
      )}
    </Panel>
  );
}

function MoodOverTime({
  roomId,
  autoFocus,
  onShow,
}: {
  roomId: RoomId;
  autoFocus: boolean;
  onShow: (seq: Seq) => void;
}) {
  const { t } = useTranslation();
  const { announce } = useAnnouncer();
  const { time, show, bars, status, problem, retry } = useMoodTimeline(roomId);
  const offline = useConnection().status === "offline";
  const [chosenKey, setChosenKey] = useState<string | null>(null);
  const [pointedKey, setPointedKey] = useState<string | null>(null);
  const { step, page } = time;
  const { start, end } = spanOf(bars.map(({ slot }) => slot));
  const span = formatSpan(start, end, step);
  const barOf = (key: string | null) => bars.find((bar) => bar.key === key) ?? null;
  const chosen = barOf(chosenKey);
  const read = barOf(pointedKey) ?? chosen;
  const empty = status === "ready" && bars.every(({ bucket }) => bucket === null);

  function go(nextStep: MoodStep, nextPage: number) {
    setChosenKey(null);
    setPointedKey(null);
    show(nextStep, nextPage);
  }

  function choose({ key, slot, bucket }: Bar) {
    if (bucket === null) return;
    setChosenKey(key === chosenKey ? null : key);
    if (key === chosenKey) return;
    announce(t("mood.found", { count: totalOf(bucket), span: formatSpan(slot.start, slot.end, step) }));
  }

  return (
    <div className={styles.content}>
      <Segments
        legend={t("mood.step")}
        value={step}
        autoFocus={autoFocus}
        options={steps.map((value) => ({ value, label: t(`mood.${value}`) }))}
        onChange={(next) => {
          go(next, 0);
        }}
      />
      <div className={styles.pages}>
        <IconButton
          label={t("mood.earlier")}
          tooltipSide="bottom"
          icon={<ChevronLeft />}
          onClick={() => {
            go(step, page + 1);
          }}
        />
        <h3 className={styles.span} aria-live="polite">
          {span}
        </h3>
        <IconButton
          label={t("mood.later")}
          tooltipSide="bottom"
          icon={<ChevronRight />}
          aria-disabled={page === 0}
          onClick={() => {
            if (page > 0) go(step, page - 1);
          }}
        />
      </div>
      {status === "failed" ? (
        <LoadFailure problem={problem} onRetry={retry} />
      ) : empty ? (
        <EmptyState level={3} title={t("mood.emptyTitle")}>
          {t(page === 0 ? "mood.emptyNow" : "mood.emptyEarlier")}
        </EmptyState>
      ) : (
        <>
          <Counts
            words={read ? formatSpan(read.slot.start, read.slot.end, step) : t("mood.inAll")}
            counts={read ? read.bucket : sumOf(bars)}
          />
          <MoodChart
            label={t("mood.chart", { span })}
            step={step}
            bars={bars}
            loading={status === "loading"}
            chosen={chosen?.key ?? null}
            onChoose={choose}
            onPoint={setPointedKey}
          />
        </>
      )}
      {status === "ready" && offline && <p className={styles.note}>{t("mood.offline")}</p>}
      {status === "ready" && !offline && problem !== null && (
        <div className={styles.stale}>
          <p className={styles.note}>{t("mood.stale")}</p>
          <Button kind="quiet" onClick={retry}>
            {t("common.retry")}
          </Button>
        </div>
      )}
      {chosen?.bucket ? (
        <MoodMessages
          key={chosen.key}
          roomId={roomId}
          step={step}
          slot={chosen.slot}
          bucket={chosen.bucket}
          onShow={onShow}
        />
      ) : (
        status === "ready" && !empty && <p className={styles.note}>{t("mood.choose")}</p>
      )}
    </div>
  );
}

/** What was counted where somebody points, or in all of the chart. It has one height, so that nothing moves. */
function Counts({ words, counts }: { words: string; counts: ReturnType<typeof sumOf> }) {
  const { t } = useTranslation();
  return (
    <div className={styles.counts}>
      <p className={styles.countsSpan}>{words}</p>
      <p className={styles.countsLine}>
        {moodLabels.map((label) => (
          <span key={label} className={styles.count} title={t(`mood.${label}`)}>
            <MoodIcon mood={label} />
            <span className="visually-hidden">{t(`mood.${label}`)}</span>
            {formatNumber(counts?.[label] ?? 0)}
          </span>
        ))}
        {counts && (
          <span className={styles.countsMean}>{t("mood.mean", { mean: formatSigned(counts.mean) })}</span>
        )}
      </p>
    </div>
  );
}
