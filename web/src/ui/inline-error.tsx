import { CircleAlert } from "lucide-react";
import styles from "./inline-error.module.css";

/** What went wrong with the whole of a form or list, in words; nothing while all is well. */
export function InlineError({ message }: { message: string | undefined }) {
  if (!message) return null;
  return (
    <p className={styles.error} role="alert">
      <CircleAlert aria-hidden="true" />
      {message}
    </p>
  );
}
