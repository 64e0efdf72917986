import { ChevronLeft } from "lucide-react";
import { useTranslation } from "../i18n/use-translation";
import { Link } from "../ui/navigation";
import { paths } from "../ui/paths";
import styles from "./app.module.css";

/** Leads from one column back to the rooms; only there on a narrow screen. */
export function BackButton() {
  const { t } = useTranslation();
  return (
    <Link href={paths.home} className={styles.back} aria-label={t("room.backToRooms")}>
      <ChevronLeft aria-hidden="true" />
    </Link>
  );
}
