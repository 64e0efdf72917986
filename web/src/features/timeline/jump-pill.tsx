import { ArrowDown } from "lucide-react";
import { classNames } from "../../ui/class-names";
import styles from "./jump-pill.module.css";

/** Floats over the rows and leads to the newest ones. */
export function JumpPill({
  label,
  quiet = false,
  onClick,
}: {
  label: string;
  quiet?: boolean;
  onClick: () => void;
}) {
  return (
    <button type="button" className={classNames(styles.pill, quiet && styles.quiet)} onClick={onClick}>
      <ArrowDown aria-hidden="true" />
      <span className={quiet ? "visually-hidden" : undefined}>{label}</span>
    </button>
  );
}
