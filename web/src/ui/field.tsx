import { useId, type InputHTMLAttributes, type ReactNode, type Ref } from "react";
import { classNames } from "./class-names";
import styles from "./field.module.css";

/** Props of {@link Field}. */
export interface FieldProps extends Omit<InputHTMLAttributes<HTMLInputElement>, "prefix"> {
  label: string;
  /** What is wrong, in words, beside the field it is about. */
  error?: string | undefined;
  hint?: ReactNode;
  /** Said after the label of a field that may stay empty. */
  optionalLabel?: string;
  prefix?: ReactNode;
  suffix?: ReactNode;
  ref?: Ref<HTMLInputElement>;
}

/** A labelled one-line field with its hint and its error. */
export function Field({ label, error, hint, optionalLabel, prefix, suffix, className, ...rest }: FieldProps) {
  const id = useId();
  const describedBy = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(" ") || undefined;
  return (
    <div className={classNames(styles.field, className)}>
      <label className={styles.label} htmlFor={id}>
        {label} {optionalLabel && <span className={styles.optional}>{optionalLabel}</span>}
      </label>
      <div
        className={classNames(
          prefix !== undefined && styles.withPrefix,
          suffix !== undefined && styles.withSuffix,
        )}
      >
        {prefix !== undefined && (
          <span className={styles.prefix} aria-hidden="true">
            {prefix}
          </span>
        )}
        <input
          {...rest}
          id={id}
          className={styles.input}
          aria-invalid={error ? true : undefined}
          aria-describedby={describedBy}
        />
        {suffix !== undefined && <span className={styles.suffix}>{suffix}</span>}
      </div>
      {error && (
        <p className={styles.error} id={`${id}-error`} role="alert">
          {error}
        </p>
      )}
      {hint && (
        <p className={styles.hint} id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  );
}
