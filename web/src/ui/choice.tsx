import { useId, type ReactNode } from "react";
import { classNames } from "./class-names";
import styles from "./choice.module.css";

/** One of the things to choose from. */
export interface ChoiceOption<T extends string> {
  value: T;
  label: string;
  hint?: ReactNode;
}

/** A choice of one out of a few, all of them visible. */
export function Choice<T extends string>({
  legend,
  options,
  value,
  onChange,
  direction = "column",
  hideLegend = false,
}: {
  legend: string;
  options: readonly ChoiceOption<T>[];
  value: T;
  onChange: (value: T) => void;
  direction?: "row" | "column";
  hideLegend?: boolean;
}) {
  const name = useId();
  return (
    <fieldset className={styles.group}>
      <legend className={hideLegend ? "visually-hidden" : styles.legend}>{legend}</legend>
      <div className={classNames(styles.group, direction === "row" && styles.row)}>
        {options.map((option) => (
          <label key={option.value} className={styles.option}>
            <input
              type="radio"
              className={styles.radio}
              name={name}
              value={option.value}
              checked={option.value === value}
              onChange={() => {
                onChange(option.value);
              }}
            />
            <span className={styles.words}>
              <span className={styles.name}>{option.label}</span>
              {option.hint && <span className={styles.hint}>{option.hint}</span>}
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
