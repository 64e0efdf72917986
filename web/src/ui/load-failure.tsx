import { useTranslation } from "../i18n/use-translation";
import { describeProblem } from "../i18n/problem";
import { Button } from "./button";
import { InlineError } from "./inline-error";
import styles from "./load-failure.module.css";

/** Something could not be loaded: why, and a way to try again. */
export function LoadFailure({ problem, onRetry }: { problem: unknown; onRetry: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.failure}>
      <InlineError message={describeProblem(problem, t)} />
      <Button onClick={onRetry}>{t("common.retry")}</Button>
    </div>
  );
}
