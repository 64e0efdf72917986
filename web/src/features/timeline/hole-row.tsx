import { useEffect, useEffectEvent, useRef } from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { TimelineItem } from "../../sync/views";
import { useTimelineActions } from "./timeline-actions";
import styles from "./line-rows.module.css";

/** A gap between what this device holds, drawn so that nobody takes what is above and below for neighbours. */
export function HoleRow({ hole }: { hole: Extract<TimelineItem, { kind: "hole" }> }) {
  const { t } = useTranslation();
  const actions = useTimelineActions();
  const row = useRef<HTMLDivElement>(null);

  /** From the end that the reader comes from: what they look at next is filled first. */
  function load() {
    const box = row.current!.getBoundingClientRect();
    actions.loadHole(hole, box.top < window.innerHeight / 2 ? "before" : "after");
  }

  const loadWhenIdle = useEffectEvent(() => {
    if (hole.state === "idle") load();
  });

  // A gap that comes into view fills itself; one that failed waits to be asked.
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) loadWhenIdle();
    });
    observer.observe(row.current!);
    return () => {
      observer.disconnect();
    };
  }, [hole.key, hole.after, hole.before]);

  return (
    <div ref={row} className={styles.hole}>
      <span className="tabular">{t("timeline.hole", { count: hole.count })}</span>
      {hole.state === "failed" && <span className={styles.failed}>{t("timeline.holeFailed")}</span>}
      <button type="button" className={styles.load} aria-busy={hole.state === "loading"} onClick={load}>
        {hole.state === "loading" ? t("common.loading") : t("timeline.load")}
      </button>
    </div>
  );
}
