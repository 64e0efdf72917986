import type { ReactNode } from "react";
import { useTranslation } from "../i18n/use-translation";
import { LanguageChoice } from "./language-choice";
import { Mark } from "./mark";
import styles from "./card-page.module.css";

/** A page that is one card: what somebody sees who is not signed in. */
export function CardPage({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <div className={styles.brand}>
          <Mark size={28} />
          {t("app.name")}
        </div>
        {children}
      </div>
      <footer className={styles.footer}>
        <LanguageChoice />
      </footer>
    </main>
  );
}
