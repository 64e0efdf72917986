import { X } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n/use-translation";
import { IconButton } from "./icon-button";
import styles from "./panel.module.css";

/** The column on the right: its title, its close button and what it holds. */
export function Panel({
  title,
  onClose,
  children,
}: {
  title: string;
  onClose: () => void;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  return (
    <section className={styles.panel} aria-label={title}>
      <header className={styles.header}>
        <h2 className={styles.title}>{title}</h2>
        <IconButton
          label={t("common.close")}
          keys={["Escape"]}
          icon={<X />}
          tooltipSide="left"
          onClick={onClose}
        />
      </header>
      <div className={styles.body}>{children}</div>
    </section>
  );
}
