import { useTranslation } from "../i18n/use-translation";
import { useSync } from "../sync/hooks";
import { Button } from "../ui/button";
import { EmptyState } from "../ui/empty-state";
import { Mark } from "../ui/mark";
import styles from "./app.module.css";

/** What stands there until it is known who is there; says so when the server does not answer. */
export function StartScreen({ failed }: { failed: boolean }) {
  const { t } = useTranslation();
  const sync = useSync();
  // Until then index.html's mark stands there.
  if (!failed) return <main aria-busy="true" data-starting="" />;
  return (
    <main className={styles.start}>
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
    </main>
  );
}
