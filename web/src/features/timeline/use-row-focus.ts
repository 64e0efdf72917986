import {
  useCallback,
  useState,
  type FocusEvent,
  type KeyboardEvent,
  type PointerEvent,
  type RefObject,
} from "react";
import type { User } from "../../protocol/model";
import type { Row } from "./row-model";
import type { Rights, TimelineActions } from "./timeline-actions";
import type { OpenedPart } from "./timeline-row";

const rowSelector = "[data-message-row]";

function keyOfElement(target: EventTarget | null): string | null {
  return target instanceof Element ? (target.closest<HTMLElement>("[data-row]")?.dataset.row ?? null) : null;
}

/**
 * Moves through the messages by keys, and knows which row is pointed at or focused. Tab leads to one row only, the one
 * that was focused last or the newest; arrows move from there; letters act on it.
 */
export function useRowFocus({
  scroller,
  content,
  rows,
  me,
  rights,
  actions,
  onLeave,
}: {
  scroller: RefObject<HTMLElement | null>;
  content: RefObject<HTMLElement | null>;
  rows: readonly Row[];
  me: User;
  rights: Rights;
  actions: TimelineActions;
  onLeave: () => void;
}) {
  const [pointedKey, setPointedKey] = useState<string | null>(null);
  const [focusedKey, setFocusedKey] = useState<string | null>(null);
  const [within, setWithin] = useState(false);
  const [opened, setOpenedState] = useState<{ key: string; part: OpenedPart } | null>(null);

  const setOpened = useCallback((key: string, part: OpenedPart | null) => {
    setOpenedState(part && { key, part });
  }, []);

  const lastKey =
    rows.findLast((row) => row.item.kind === "message" || row.item.kind === "pending")?.item.key ?? null;
  const focusedIsHere = focusedKey !== null && rows.some((row) => row.item.key === focusedKey);
  const tabKey = focusedIsHere ? focusedKey : lastKey;

  function focusRow(element: HTMLElement | undefined) {
    if (!element) return;
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "nearest" });
  }

  function messageElements(): HTMLElement[] {
    return [...(content.current?.querySelectorAll<HTMLElement>(rowSelector) ?? [])];
  }

  function onKeyDown(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    const rowElement = target.closest<HTMLElement>(rowSelector);
    if (!rowElement || event.nativeEvent.isComposing) return;
    if (event.key === "Escape" && target !== rowElement && !target.matches("textarea, input")) {
      event.stopPropagation();
      rowElement.focus();
      return;
    }
    if (target !== rowElement) return;
    if (event.key === "Escape") {
      event.stopPropagation();
      onLeave();
      return;
    }
    const elements = messageElements();
    const place = elements.indexOf(rowElement);
    const view = scroller.current!;
    const moves: Record<string, () => void> = {
      ArrowUp: () => focusRow(elements[place - 1]),
      ArrowDown: () => {
        if (place === elements.length - 1) onLeave();
        else focusRow(elements[place + 1]);
      },
      Home: () => focusRow(elements.find((element) => isInView(element, view))),
      End: () => focusRow(elements.findLast((element) => isInView(element, view))),
    };
    const act =
      moves[event.key] ??
      (event.ctrlKey || event.metaKey || event.altKey ? undefined : actOn(rowElement, event));
    if (!act) return;
    event.preventDefault();
    event.stopPropagation();
    act();
  }

  function actOn(rowElement: HTMLElement, event: KeyboardEvent): (() => void) | undefined {
    const key = keyOfElement(rowElement);
    const item = rows.find((row) => row.item.key === key)?.item;
    if (item?.kind !== "message" || item.message.deleted_at !== null) return undefined;
    const { message } = item;
    const mine = message.sender.id === me.id;
    if (event.key === "Delete") return mine || rights.moderate ? () => actions.askRemove(message) : undefined;
    if (event.key === "Enter") return () => setOpened(item.key, "menu");
    if (event.key === "+" || event.key === "=")
      return rights.write ? () => setOpened(item.key, "picker") : undefined;
    // By position, so that they work with a Korean keyboard too.
    if (event.code === "KeyR") return rights.write ? () => actions.reply(message) : undefined;
    if (event.code === "KeyE") return mine && rights.write ? () => actions.startEdit(message.id) : undefined;
    if (event.code === "KeyU") return () => actions.markUnread(message.seq);
    return undefined;
  }

  return {
    activeKey: within && focusedKey !== null ? focusedKey : pointedKey,
    tabKey,
    opened,
    setOpened,
    /** Gives the focus to the row with that number once it is drawn, where it is now. */
    focusSeq: (seq: number) => {
      requestAnimationFrame(() => {
        const row = content.current?.querySelector<HTMLElement>(`${rowSelector}[data-seq="${seq}"]`);
        row?.focus({ preventScroll: true });
      });
    },
    focusLast: () => focusRow(messageElements().at(-1)),
    handlers: {
      onKeyDown,
      onPointerOver(event: PointerEvent) {
        if (event.pointerType !== "touch") setPointedKey(keyOfElement(event.target));
      },
      onPointerLeave() {
        setPointedKey(null);
      },
      onFocus(event: FocusEvent) {
        // A click focuses a row too; only keys make the focus the place where the actions are.
        setFocusedKey(keyOfElement(event.target));
        setWithin(event.target.matches(":focus-visible"));
      },
      onBlur() {
        setWithin(false);
      },
    },
  };
}

function isInView(element: HTMLElement, view: HTMLElement): boolean {
  const box = element.getBoundingClientRect();
  const frame = view.getBoundingClientRect();
  return box.bottom > frame.top && box.top < frame.bottom;
}
