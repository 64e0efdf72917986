import { useId, type ReactNode } from "react";
import styles from "./mood.module.css";

/** A choice of one out of a few words, side by side. */
export function Segments<T extends string>({
  legend,
  options,
  value,
  onChange,
  autoFocus = false,
}: {
  legend: string;
  options: readonly { value: T; label: ReactNode }[];
  value: T;
  onChange: (value: T) => void;
  /** Takes the focus when it appears. */
  autoFocus?: boolean;
}) {
  const name = useId();
  return (
    <fieldset className={styles.segments}>
      <legend className="visually-hidden">{legend}</legend>
      {options.map((option) => (
        <label key={option.value} className={styles.segment}>
          <input
            type="radio"
            className={styles.segmentInput}
            name={name}
            value={option.value}
            checked={option.value === value}
            autoFocus={autoFocus && option.value === value}
            onChange={() => {
              onChange(option.value);
            }}
          />
          <span className={styles.segmentWords}>{option.label}</span>
        </label>
      ))}
    </fieldset>
  );
}
