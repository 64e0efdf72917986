import { CloudOff, LoaderCircle } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import { useConnection, useSync } from "../../sync/hooks";
import type { Connection } from "../../sync/views";
import { classNames } from "../../ui/class-names";
import { useDelayed } from "../../ui/use-delayed";
import styles from "./connection-line.module.css";

/** A break shorter than this is nobody's business. */
const shownAfterMs = 2000;

function useWords(connection: Connection): string {
  const { t } = useTranslation();
  switch (connection.status) {
    case "ok":
      return "";
    case "connecting":
      return t("connection.reconnecting");
    case "offline":
      return connection.waiting > 0
        ? t("connection.offlineWaiting", { count: connection.waiting })
        : t("connection.offline");
    case "refused":
      return t("errors.other");
  }
}

/** The state of the connection in plain words; nothing while all is well. It stands below a list or above a screen. */
export function ConnectionLine({ above = false }: { above?: boolean }) {
  const { t } = useTranslation();
  const sync = useSync();
  const connection = useConnection();
  const connectingLong = useDelayed(connection.status === "connecting", shownAfterMs);
  const words = useWords(connection);
  const shown = connection.status === "offline" || connection.status === "refused" || connectingLong;
  return (
    <div role="status">
      {shown && (
        <div className={classNames(styles.line, above && styles.above)}>
          {connection.status === "connecting" ? (
            <LoaderCircle className={classNames(styles.icon, styles.turning)} aria-hidden="true" />
          ) : (
            <CloudOff className={styles.icon} aria-hidden="true" />
          )}
          <span className={styles.words}>{words}</span>
          {connection.status === "offline" && (
            <button
              type="button"
              className={styles.retry}
              onClick={() => {
                sync.retryNow();
              }}
            >
              {t("connection.retry")}
            </button>
          )}
        </div>
      )}
    </div>
  );
}
