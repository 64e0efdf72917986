import { classNames } from "./class-names";
import { keyLabel } from "./keyboard";
import styles from "./kbd.module.css";

/** Keys to press together, as the person's platform writes them. */
export function Kbd({ keys, inverse = false }: { keys: readonly string[]; inverse?: boolean }) {
  return (
    <span className={classNames(styles.keys, inverse && styles.inverse)}>
      {keys.map((key) => (
        <kbd key={key} className={styles.key}>
          {keyLabel(key)}
        </kbd>
      ))}
    </span>
  );
}
