import { ArrowDown, ArrowUp } from "lucide-react";
import { classNames } from "../../ui/class-names";
import styles from "./jump-pill.module.css";

/** Floats over the rows and leads to what is out of view. */
export function JumpPill({
  direction,
  label,
  quiet = false,
  onClick,
}: {
  direction: "up" | "down";
  label: string;
  quiet?: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      className={classNames(styles.pill, direction === "up" ? styles.up : styles.down, quiet && styles.quiet)}
      onClick={onClick}
    >
      {direction === "up" ? <ArrowUp aria-hidden="true" /> : <ArrowDown aria-hidden="true" />}
      <span className={quiet ? "visually-hidden" : undefined}>{label}</span>
    </button>
  );
}
