import { lazy, Suspense, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { TriggerProps } from "../menu";

const OpenEmojiPopover = lazy(() => import("./open-emoji-popover"));

/** A control that opens the emoji picker; the picker and its data are loaded on first use. */
export function EmojiPopover({
  trigger,
  align = "end",
  open: openFromOutside,
  onOpenChange,
  onPick,
}: {
  trigger: (props: TriggerProps) => ReactNode;
  align?: "start" | "end";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  onPick: (emoji: string) => void;
}) {
  const { t } = useTranslation();
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
        "aria-haspopup": "dialog",
        "aria-expanded": open,
      })}
      {open && (
        <Suspense>
          <OpenEmojiPopover
            anchor={button}
            label={t("emoji.picker")}
            align={align}
            onClose={() => {
              change(false);
            }}
            onPick={(emoji) => {
              change(false);
              onPick(emoji);
            }}
          />
        </Suspense>
      )}
    </>
  );
}
