import { Link } from "@tanstack/react-router";
import { ChevronLeft } from "lucide-react";
import { useTranslation } from "react-i18next";
import styles from "./app.module.css";

/** Leads from one column back to the rooms; only there on a narrow screen. */
export function BackButton() {
  const { t } = useTranslation();
  return (
    <Link to="/" className={styles.back} aria-label={t("room.backToRooms")}>
      <ChevronLeft aria-hidden="true" />
    </Link>
  );
}
