import type { ReactNode } from "react";
import styles from "./empty-state.module.css";

/** A place with nothing in it yet: says what it is for and what to do. */
export function EmptyState({
  picture,
  title,
  children,
  actions,
  level = 2,
}: {
  picture?: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** The heading's level: 1 where this is the whole page. */
  level?: 1 | 2 | 3;
}) {
  const Heading = `h${level}` as const;
  return (
    <div className={styles.empty}>
      {picture && (
        <div className={styles.picture} aria-hidden="true">
          {picture}
        </div>
      )}
      <Heading className={styles.title}>{title}</Heading>
      {children && <div className={styles.words}>{children}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
    </div>
  );
}
