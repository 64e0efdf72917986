import { useDelayed } from "./use-delayed";
import { classNames } from "./class-names";
import styles from "./skeleton.module.css";

/** A grey bar where words will be. */
export function SkeletonBar({ width }: { width: string }) {
  return <span className={styles.bar} style={{ width }} />;
}

const lineWidths = ["82%", "46%", "64%", "91%", "38%", "73%", "55%"] as const;

/** Rows of the right height while something loads; nothing for the first 150 ms, so that fast answers do not flash. */
export function SkeletonRows({
  count,
  label,
  avatars = true,
}: {
  count: number;
  label: string;
  avatars?: boolean;
}) {
  const late = useDelayed(true, 150);
  return (
    <div role="status" aria-label={label}>
      {late &&
        Array.from({ length: count }, (_, index) => (
          <div key={index} className={styles.row} aria-hidden="true">
            {avatars && <span className={classNames(styles.bar, styles.cell)} />}
            <span className={styles.lines}>
              <SkeletonBar width="8rem" />
              <SkeletonBar width={lineWidths[index % lineWidths.length] ?? "60%"} />
            </span>
          </div>
        ))}
    </div>
  );
}
