import { useTranslation } from "../../i18n/use-translation";
import { Button } from "../../ui/button";
import { EmptyState } from "../../ui/empty-state";
import { Mark } from "../../ui/mark";
import styles from "./rooms.module.css";

/** What somebody sees who is in no room yet: says what to do next. */
export function HomePage({ onNewRoom, onBrowse }: { onNewRoom: () => void; onBrowse: () => void }) {
  const { t } = useTranslation();
  return (
    <div className={styles.centre}>
      <EmptyState
        level={1}
        picture={<Mark size={56} />}
        title={t("home.title")}
        actions={
          <>
            <Button kind="primary" onClick={onNewRoom}>
              {t("home.makeRoom")}
            </Button>
            <Button onClick={onBrowse}>{t("home.browseRooms")}</Button>
          </>
        }
      >
        {t("home.lead")}
      </EmptyState>
    </div>
  );
}
