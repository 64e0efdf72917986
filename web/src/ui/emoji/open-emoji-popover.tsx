import type { RefObject } from "react";
import { OpenPopover } from "../open-popover";
import { EmojiPicker } from "./emoji-picker";

/** The emoji picker, open beside its anchor. */
export default function OpenEmojiPopover({
  onPick,
  ...popover
}: {
  anchor: RefObject<HTMLElement | null>;
  label: string;
  align: "start" | "end";
  onClose: () => void;
  onPick: (emoji: string) => void;
}) {
  return (
    <OpenPopover {...popover}>
      <EmojiPicker onPick={onPick} />
    </OpenPopover>
  );
}
