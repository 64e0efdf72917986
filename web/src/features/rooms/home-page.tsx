import { useTranslation } from "react-i18next";
import { useRooms } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { EmptyState } from "../../ui/empty-state";
import { Kbd } from "../../ui/kbd";
import { Mark } from "../../ui/mark";
import styles from "./rooms.module.css";

/** Where no room is open: says what to do next. */
export function HomePage({ onNewRoom, onBrowse }: { onNewRoom: () => void; onBrowse: () => void }) {
  const { t } = useTranslation();
  const { status, rooms } = useRooms();
  if (status === "loading") return null;
  if (rooms.length > 0) {
    return (
      <div className={styles.centre}>
        <EmptyState level={1} title={t("home.pickTitle")}>
          <p>{t("home.pickLead")}</p>
          <p className={styles.keys}>
            <Kbd keys={["Mod", "K"]} />
          </p>
        </EmptyState>
      </div>
    );
  }
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
