import { useTranslation } from "../i18n/use-translation";
import { Button } from "./button";
import { EmptyState } from "./empty-state";
import styles from "./crash-screen.module.css";

/** What stands where a part of the page broke: says that nothing is lost, and how to go on. */
export function CrashScreen({ error }: { error: Error }) {
  const { t } = useTranslation();
  return (
    <div className={styles.screen} role="alert">
      <EmptyState
        title={t("errors.crashTitle")}
        actions={
          <Button
            kind="primary"
            onClick={() => {
              location.reload();
            }}
          >
            {t("errors.crashReload")}
          </Button>
        }
      >
        <p>{t("errors.crashLead")}</p>
        <details className={styles.details}>
          <summary>{t("errors.crashDetails")}</summary>
          <code>{error.message}</code>
        </details>
      </EmptyState>
    </div>
  );
}
