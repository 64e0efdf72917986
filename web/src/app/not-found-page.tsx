import { useTranslation } from "../i18n/use-translation";
import { buttonClass } from "../ui/button";
import { EmptyState } from "../ui/empty-state";
import { Mark } from "../ui/mark";
import { Link } from "../ui/navigation";
import { paths } from "../ui/paths";
import styles from "./app.module.css";

/** An address that leads nowhere. */
export function NotFoundPage() {
  const { t } = useTranslation();
  return (
    <main className={styles.start}>
      <EmptyState
        level={1}
        picture={<Mark size={56} />}
        title={t("errors.notFoundTitle")}
        actions={
          <Link href={paths.home} className={buttonClass("primary")}>
            {t("errors.notFoundHome")}
          </Link>
        }
      >
        {t("errors.notFoundLead")}
      </EmptyState>
    </main>
  );
}
