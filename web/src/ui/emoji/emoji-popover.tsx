import { lazy, Suspense, useState, type ReactElement } from "react";
import { useTranslation } from "react-i18next";
import { Popover } from "../popover";
import styles from "./emoji-popover.module.css";

const EmojiPicker = lazy(() => import("./emoji-picker"));

/** A control that opens the emoji picker; the picker and its data are loaded on first use. */
export function EmojiPopover({
  trigger,
  align = "end",
  open: openFromOutside,
  onOpenChange,
  onPick,
}: {
  trigger: ReactElement;
  align?: "start" | "end";
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  onPick: (emoji: string) => void;
}) {
  const { t } = useTranslation();
  const [openInside, setOpenInside] = useState(false);
  const open = openFromOutside ?? openInside;
  const change = onOpenChange ?? setOpenInside;
  return (
    <Popover trigger={trigger} label={t("emoji.picker")} open={open} onOpenChange={change} align={align}>
      <Suspense fallback={<div className={styles.waiting} />}>
        <EmojiPicker
          onPick={(emoji) => {
            change(false);
            onPick(emoji);
          }}
        />
      </Suspense>
    </Popover>
  );
}
