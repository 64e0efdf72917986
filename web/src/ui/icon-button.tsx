import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { classNames } from "./class-names";
import { Kbd } from "./kbd";
import { Tooltip } from "./tooltip";
import styles from "./button.module.css";

/** Props of {@link IconButton}. */
export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> {
  /** The accessible name, also the tooltip. */
  label: string;
  icon: ReactNode;
  /** Keys that do the same, shown in the tooltip. */
  keys?: readonly string[] | undefined;
  kind?: "plain" | "accent";
  size?: "normal" | "small";
  tooltipSide?: "top" | "right" | "bottom" | "left";
  ref?: Ref<HTMLButtonElement>;
}

/** A button that is an icon: named for screen readers, explained on hover and focus. */
export function IconButton({
  label,
  icon,
  keys,
  kind = "plain",
  size = "normal",
  tooltipSide = "top",
  className,
  type = "button",
  ...rest
}: IconButtonProps) {
  return (
    <Tooltip
      side={tooltipSide}
      content={
        <>
          {label}
          {keys && <Kbd keys={keys} inverse />}
        </>
      }
    >
      <button
        {...rest}
        type={type}
        aria-label={label}
        className={classNames(
          styles.icon,
          size === "small" && styles.small,
          kind === "accent" && styles.accent,
          className,
        )}
      >
        {icon}
      </button>
    </Tooltip>
  );
}
