import { X } from "lucide-react";
import { Dialog as Radix } from "radix-ui";
import type { ReactNode } from "react";
import { useTranslation } from "../i18n/use-translation";
import { classNames } from "./class-names";
import { IconButton } from "./icon-button";
import styles from "./dialog.module.css";

/** Props of {@link Dialog}. */
export interface DialogProps {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  size?: "normal" | "wide" | "large";
  /** A bare dialog keeps its title for screen readers only and has no header or padding: its child draws all. */
  bare?: boolean;
  children: ReactNode;
}

/** A modal dialog: traps focus, closes on Escape and outside, gives focus back to what opened it. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  size = "normal",
  bare = false,
  children,
}: DialogProps) {
  const { t } = useTranslation();
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className={classNames(styles.overlay, bare && styles.top)}>
          <Radix.Content
            className={classNames(
              styles.dialog,
              size === "wide" && styles.wide,
              size === "large" && styles.large,
            )}
            // Whoever opens it by a key should not find "close" chosen; a field that wants the focus has it already.
            onOpenAutoFocus={(event) => {
              event.preventDefault();
              (event.currentTarget as HTMLElement).focus();
            }}
            {...(description ? {} : { "aria-describedby": undefined })}
          >
            {bare ? (
              <>
                <Radix.Title className="visually-hidden">{title}</Radix.Title>
                {children}
              </>
            ) : (
              <>
                <div className={styles.header}>
                  <Radix.Title className={styles.title}>{title}</Radix.Title>
                  <Radix.Close asChild>
                    <IconButton label={t("common.close")} icon={<X />} tooltipSide="left" />
                  </Radix.Close>
                </div>
                {description && (
                  <Radix.Description className={styles.description}>{description}</Radix.Description>
                )}
                <div className={styles.body}>{children}</div>
              </>
            )}
          </Radix.Content>
        </Radix.Overlay>
      </Radix.Portal>
    </Radix.Root>
  );
}

/** The row of buttons that ends a dialog, the one that goes on last. */
export function DialogActions({ children }: { children: ReactNode }) {
  return <div className={styles.footer}>{children}</div>;
}
