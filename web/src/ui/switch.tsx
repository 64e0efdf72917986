import { useId, type ReactNode } from "react";
import styles from "./switch.module.css";

/** Something that is on or off, and takes effect at once. */
export function Switch({
  label,
  hint,
  checked,
  busy = false,
  onChange,
}: {
  label: string;
  hint?: ReactNode;
  checked: boolean;
  /** True while the change is under way: it stays focusable, and does nothing. */
  busy?: boolean;
  onChange: (checked: boolean) => void;
}) {
  const hintId = useId();
  return (
    <div className={styles.group}>
      <label className={styles.switch}>
        <span className={styles.label}>{label}</span>
        <input
          type="checkbox"
          role="switch"
          className={styles.track}
          checked={checked}
          aria-disabled={busy || undefined}
          aria-describedby={hint ? hintId : undefined}
          onChange={(event) => {
            if (!busy) onChange(event.target.checked);
          }}
        />
      </label>
      {hint && (
        <p className={styles.hint} id={hintId}>
          {hint}
        </p>
      )}
    </div>
  );
}
