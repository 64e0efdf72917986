import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { classNames } from "./class-names";
import styles from "./button.module.css";

/** How loud a button is: one primary a view, danger only for what cannot be taken back. */
export type ButtonKind = "primary" | "secondary" | "quiet" | "danger" | "dangerQuiet";

/** The class of a button, for links that look like one. */
export function buttonClass(kind: ButtonKind = "secondary", wide = false): string {
  return classNames(styles.button, styles[kind], wide && styles.wide);
}

/** Props of {@link Button}. */
export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: ButtonKind;
  wide?: boolean;
  /** True while what it started is under way: it stays focusable and says so, and does nothing. */
  busy?: boolean;
  icon?: ReactNode;
  ref?: Ref<HTMLButtonElement>;
}

/** A button with words. */
export function Button({
  kind = "secondary",
  wide = false,
  busy = false,
  icon,
  className,
  children,
  onClick,
  type = "button",
  ...rest
}: ButtonProps) {
  return (
    <button
      {...rest}
      type={type}
      className={classNames(buttonClass(kind, wide), className)}
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      onClick={(event) => {
        // A busy submit button must not submit its form a second time.
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {icon}
      {children}
    </button>
  );
}
