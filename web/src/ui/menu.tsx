import { lazy, Suspense, useRef, useState, type ReactNode, type Ref } from "react";

const OpenMenu = lazy(() => import("./open-menu"));

/** One thing a menu can do, or a line between groups of them. */
export type MenuEntry =
  | {
      label: string;
      icon?: ReactNode;
      keys?: readonly string[];
      danger?: boolean;
      onSelect: () => void;
    }
  | "separator";

/** What a control needs to open something that floats beside it. */
export interface TriggerProps {
  ref: Ref<HTMLButtonElement>;
  onClick: () => void;
  "aria-haspopup": "menu" | "dialog";
  "aria-expanded": boolean;
}

/**
 * A menu that its trigger opens: arrows move, letters jump, Escape gives focus back. What is inside is loaded when it is
 * opened first, so that a page that only shows triggers stays small.
 */
export function Menu({
  label,
  entries,
  trigger,
  align = "end",
  open: openFromOutside,
  onOpenChange,
}: {
  /** The accessible name of the menu. */
  label: string;
  entries: readonly MenuEntry[];
  trigger: (props: TriggerProps) => ReactNode;
  align?: "start" | "end";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
}) {
  const button = useRef<HTMLButtonElement>(null);
  const [openInside, setOpenInside] = useState(false);
  const open = openFromOutside ?? openInside;
  const change = onOpenChange ?? setOpenInside;
  return (
    <>
      {trigger({
        ref: button,
        onClick: () => {
          change(!open);
        },
        "aria-haspopup": "menu",
        "aria-expanded": open,
      })}
      {open && (
        <Suspense>
          <OpenMenu
            anchor={button}
            label={label}
            entries={entries}
            align={align}
            onClose={() => {
              change(false);
            }}
          />
        </Suspense>
      )}
    </>
  );
}
