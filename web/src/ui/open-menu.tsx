import { DropdownMenu } from "radix-ui";
import { useState, type RefObject } from "react";
import { classNames } from "./class-names";
import { Kbd } from "./kbd";
import type { MenuEntry } from "./menu";
import styles from "./menu.module.css";

/** A menu that is open beside its anchor. */
export default function OpenMenu({
  anchor,
  label,
  entries,
  align,
  onClose,
}: {
  anchor: RefObject<HTMLElement | null>;
  label: string;
  entries: readonly MenuEntry[];
  align: "start" | "end";
  onClose: () => void;
}) {
  // The menu hangs on an unseen stand-in with its anchor's outline: the anchor itself was there before this was loaded.
  const [outline] = useState(() => {
    const box = anchor.current?.getBoundingClientRect();
    return { left: box?.left, top: box?.top, width: box?.width, height: box?.height };
  });
  // It stays within the part of the page that it belongs to, for those who move by such parts.
  const [part] = useState(() => anchor.current?.closest<HTMLElement>("main, nav, [role=dialog]"));
  return (
    <DropdownMenu.Root
      open
      modal={false}
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <DropdownMenu.Trigger asChild>
        <span className={styles.standIn} style={outline} aria-hidden="true" />
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={part}>
        <DropdownMenu.Content
          className={styles.menu}
          aria-label={label}
          aria-labelledby={undefined}
          align={align}
          sideOffset={4}
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
          {entries.map((entry, index) =>
            entry === "separator" ? (
              <DropdownMenu.Separator key={index} className={styles.separator} />
            ) : (
              <DropdownMenu.Item
                key={index}
                className={classNames(styles.item, entry.danger && styles.danger)}
                onSelect={entry.onSelect}
              >
                {entry.icon}
                <span className={styles.label}>{entry.label}</span>
                {entry.keys && <Kbd keys={entry.keys} />}
              </DropdownMenu.Item>
            ),
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}
