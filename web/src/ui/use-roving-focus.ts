import { useState, type FocusEvent, type KeyboardEvent } from "react";

const itemSelector = "[data-roving]";

const arrows = {
  vertical: ["ArrowUp", "ArrowDown"],
  horizontal: ["ArrowLeft", "ArrowRight"],
} as const;

/**
 * One Tab stop for a list: Tab leads to the current item, arrows, Home and End move from there. Items carry
 * `data-roving={key}` and `tabIndex={tabIndexOf(key)}`; the container takes the handlers.
 */
export function useRovingFocus(
  keys: readonly string[],
  current: string | null,
  orientation: keyof typeof arrows = "vertical",
) {
  const [back, on] = arrows[orientation];
  const [focused, setFocused] = useState<string | null>(null);
  const stop =
    focused !== null && keys.includes(focused)
      ? focused
      : current !== null && keys.includes(current)
        ? current
        : keys[0];
  return {
    tabIndexOf: (key: string) => (key === stop ? 0 : -1),
    handlers: {
      onFocus(event: FocusEvent) {
        const item = event.target.closest<HTMLElement>(itemSelector);
        if (item?.dataset.roving) setFocused(item.dataset.roving);
      },
      onBlur(event: FocusEvent) {
        // Coming back, Tab leads to the current one again, wherever the arrows were.
        if (!event.currentTarget.contains(event.relatedTarget)) setFocused(null);
      },
      onKeyDown(event: KeyboardEvent) {
        const item = (event.target as Element).closest<HTMLElement>(itemSelector);
        if (!item || event.ctrlKey || event.metaKey || event.altKey) return;
        const items = [...event.currentTarget.querySelectorAll<HTMLElement>(itemSelector)];
        const place = items.indexOf(item);
        const targets: Record<string, HTMLElement | undefined> = {
          [back]: items[place - 1],
          [on]: items[place + 1],
          Home: items[0],
          End: items.at(-1),
        };
        const target = targets[event.key];
        if (!target) return;
        event.preventDefault();
        target.focus();
      },
    },
  };
}
