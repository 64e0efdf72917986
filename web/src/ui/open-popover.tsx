import { Popover as Radix } from "radix-ui";
import type { ReactNode, RefObject } from "react";
import styles from "./open-popover.module.css";

/** A floating panel that is open beside its anchor; focus goes in and comes back. */
export function OpenPopover({
  anchor,
  label,
  align,
  onClose,
  children,
}: {
  anchor: RefObject<HTMLElement | null>;
  /** The accessible name of the panel. */
  label: string;
  align: "start" | "end";
  onClose: () => void;
  children: ReactNode;
}) {
  return (
    <Radix.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <Radix.Anchor virtualRef={anchor} />
      <Radix.Portal>
        <Radix.Content
          className={styles.popover}
          aria-label={label}
          align={align}
          side="top"
          sideOffset={6}
          collisionPadding={8}
          onCloseAutoFocus={(event) => {
            event.preventDefault();
            // Unless what was chosen has taken the focus elsewhere.
            if (document.activeElement === document.body) anchor.current?.focus();
          }}
          onInteractOutside={(event) => {
            // Its trigger closes it by itself.
            if (anchor.current?.contains(event.target as Node)) event.preventDefault();
          }}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
