import { useTranslation } from "../../i18n/use-translation";
import { formatSigned, formatSpan, formatTick } from "../../i18n/format";
import type { MoodBucket, MoodStep } from "../../protocol/http";
import { classNames } from "../../ui/class-names";
import { moodLabels } from "../../ui/mood-icon";
import { useDelayed } from "../../ui/use-delayed";
import { useRovingFocus } from "../../ui/use-roving-focus";
import { totalOf, type Bar } from "./slots";
import styles from "./mood.module.css";

/** Few messages do not fill the chart: one is not a peak. */
const tallestMin = 4;

/** Waiting bars, as high as bars may be. */
const waitingHeights = [38, 62, 50, 84, 45, 70, 34, 58] as const;

/** Every so many bars one says when it is, so that words do not meet, and none stands over the edge. */
const ticksEvery: Record<MoodStep, number> = { hour: 3, day: 1, week: 3 };

/**
 * Messages by mood over time: a bar for each slot, and below it the mean as a line. Arrows go from bar to bar, each of
 * which says what it shows; Enter or a click chooses it.
 */
export function MoodChart({
  label,
  step,
  bars,
  loading,
  chosen,
  onChoose,
  onPoint,
}: {
  label: string;
  step: MoodStep;
  bars: readonly Bar[];
  loading: boolean;
  chosen: string | null;
  onChoose: (bar: Bar) => void;
  /** A bar is pointed at or focused; null when none is any more. */
  onPoint: (key: string | null) => void;
}) {
  const { t } = useTranslation();
  const late = useDelayed(loading, 150);
  const lastHeard = bars.findLast(({ bucket }) => bucket !== null)?.key ?? bars.at(-1)!.key;
  const roving = useRovingFocus(
    bars.map(({ key }) => key),
    chosen ?? lastHeard,
    "horizontal",
  );
  const tallest = Math.max(tallestMin, ...bars.map(({ bucket }) => (bucket ? totalOf(bucket) : 0)));

  function describe({ slot, bucket }: Bar): string {
    const span = formatSpan(slot.start, slot.end, step);
    if (bucket === null) return t("mood.barEmpty", { span });
    const { positive, neutral, negative } = bucket;
    const mean = t("mood.mean", { mean: formatSigned(bucket.mean) });
    return t("mood.bar", { span, count: totalOf(bucket), positive, neutral, negative, mean });
  }

  return (
    <div className={styles.chart} aria-busy={loading}>
      <div
        role="listbox"
        aria-orientation="horizontal"
        aria-label={label}
        className={styles.bars}
        onPointerLeave={() => {
          onPoint(null);
        }}
        {...roving.handlers}
      >
        {bars.map((bar, index) => (
          <div
            key={bar.key}
            role="option"
            aria-label={describe(bar)}
            aria-selected={bar.key === chosen}
            aria-disabled={bar.bucket === null}
            tabIndex={roving.tabIndexOf(bar.key)}
            data-roving={bar.key}
            className={classNames(styles.bar, bar.bucket === null && styles.silent)}
            onClick={() => {
              onChoose(bar);
            }}
            onKeyDown={(event) => {
              if (event.key !== "Enter" && event.key !== " ") return;
              event.preventDefault();
              onChoose(bar);
            }}
            onPointerEnter={() => {
              onPoint(bar.key);
            }}
            onFocus={() => {
              onPoint(bar.key);
            }}
            onBlur={() => {
              onPoint(null);
            }}
          >
            <div className={styles.stack}>
              {bar.bucket && <Stack bucket={bar.bucket} tallest={tallest} />}
              {late && (
                <div
                  className={styles.waitingBar}
                  style={{ height: `${waitingHeights[index % waitingHeights.length]}%` }}
                />
              )}
            </div>
            <div className={styles.meanPlace}>
              {bar.bucket && <div className={styles.dot} style={{ top: `${(1 - bar.bucket.mean) * 50}%` }} />}
            </div>
          </div>
        ))}
      </div>
      <MeanLine bars={bars} />
      {/* Each bar says its own time in full. */}
      <div className={styles.ticks} aria-hidden="true">
        {bars.map(({ key, slot }, index) => (
          <span key={key} className={styles.tick}>
            {index % ticksEvery[step] === Math.floor(ticksEvery[step] / 2) && formatTick(slot.start, step)}
          </span>
        ))}
      </div>
    </div>
  );
}

function Stack({ bucket, tallest }: { bucket: MoodBucket; tallest: number }) {
  return moodLabels.map(
    (label) =>
      bucket[label] > 0 && (
        <div
          key={label}
          className={classNames(styles.part, styles[label])}
          style={{ height: `${(bucket[label] / tallest) * 100}%` }}
        />
      ),
  );
}

/** A line from mean to mean; where nothing was heard it has a gap. */
function MeanLine({ bars }: { bars: readonly Bar[] }) {
  const runs: string[][] = [[]];
  bars.forEach(({ bucket }, index) => {
    if (bucket === null) runs.push([]);
    else runs.at(-1)!.push(`${index + 0.5},${1 - bucket.mean}`);
  });
  return (
    <svg
      className={styles.mean}
      viewBox={`0 0 ${bars.length} 2`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <line className={styles.zero} x1="0" x2={bars.length} y1="1" y2="1" />
      {runs.map(
        (points, index) =>
          points.length > 1 && <polyline key={index} className={styles.meanLine} points={points.join(" ")} />,
      )}
    </svg>
  );
}
