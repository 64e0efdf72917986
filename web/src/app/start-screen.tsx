import { useTranslation } from "../i18n/use-translation";
import { useSync } from "../sync/hooks";
import { Button } from "../ui/button";
import { EmptyState } from "../ui/empty-state";
import { Mark } from "../ui/mark";
import { useDelayed } from "../ui/use-delayed";
import styles from "./app.module.css";

/** What stands there until it is known who is there; says so when the server does not answer. */
export function StartScreen({ failed }: { failed: boolean }) {
  const { t } = useTranslation();
  const sync = useSync();
  const late = useDelayed(true, 150);
  return (
    <main className={styles.start} aria-busy={!failed}>
      {failed ? (
        <EmptyState
          level={1}
          picture={<Mark size={56} />}
          title={t("errors.startTitle")}
          actions={
            <Button
              onClick={() => {
                sync.retryNow();
              }}
            >
              {t("common.retry")}
            </Button>
          }
        >
          {t("errors.startLead")}
        </EmptyState>
      ) : (
        late && <Mark size={56} />
      )}
    </main>
  );
}
