import {
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
  type PointerEvent,
  type ReactElement,
  type ReactNode,
} from "react";
import { createPortal } from "react-dom";
import styles from "./tooltip.module.css";

const shownAfterMs = 450;
/** Going from one control to the next within this time shows the next words at once. */
const warmMs = 300;
const gapPx = 6;
const marginPx = 8;

let hiddenAtMs = 0;

/** On which side of its control the words stand, if there is room. */
export type TooltipSide = "top" | "right" | "bottom" | "left";

/**
 * Words for a control on hover and focus; `children` is the one control. They repeat its accessible name, so they are
 * hidden from screen readers.
 */
export function Tooltip({
  content,
  side = "top",
  children,
}: {
  content: ReactNode;
  side?: TooltipSide;
  children: ReactElement;
}) {
  const anchor = useRef<HTMLSpanElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const [shown, setShown] = useState(false);

  function show(delayMs: number) {
    clearTimeout(timer.current);
    timer.current = setTimeout(
      () => {
        setShown(true);
      },
      Date.now() - hiddenAtMs < warmMs ? 0 : delayMs,
    );
  }
  function hide() {
    clearTimeout(timer.current);
    if (shown) hiddenAtMs = Date.now();
    setShown(false);
  }
  useEffect(
    () => () => {
      clearTimeout(timer.current);
    },
    [],
  );

  return (
    <span
      ref={anchor}
      className={styles.anchor}
      onPointerEnter={(event: PointerEvent) => {
        if (event.pointerType === "mouse") show(shownAfterMs);
      }}
      onPointerLeave={hide}
      onPointerDown={hide}
      onFocus={(event) => {
        if (event.target.matches(":focus-visible")) show(0);
      }}
      onBlur={hide}
      onKeyDown={hide}
    >
      {children}
      {shown && (
        <Words anchor={anchor} side={side} onGone={hide}>
          {content}
        </Words>
      )}
    </span>
  );
}

function Words({
  anchor,
  side,
  onGone,
  children,
}: {
  anchor: { readonly current: HTMLSpanElement | null };
  side: TooltipSide;
  onGone: () => void;
  children: ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<{ left: number; top: number } | null>(null);

  useLayoutEffect(() => {
    const control = anchor.current?.firstElementChild;
    if (control && box.current) setPlace(placeBeside(control.getBoundingClientRect(), box.current, side));
  }, [anchor, side]);

  useEffect(() => {
    // What scrolls away under its words leaves them behind.
    window.addEventListener("scroll", onGone, { capture: true, passive: true, once: true });
    return () => {
      window.removeEventListener("scroll", onGone, { capture: true });
    };
  }, [onGone]);

  return createPortal(
    <div
      ref={box}
      className={styles.tooltip}
      style={place ?? { left: 0, top: 0, visibility: "hidden" }}
      aria-hidden="true"
    >
      {children}
    </div>,
    document.body,
  );
}

/** Beside the control on the wanted side, on the other where there is no room, and never over the edge of the page. */
function placeBeside(control: DOMRect, box: HTMLElement, side: TooltipSide): { left: number; top: number } {
  const { offsetWidth: width, offsetHeight: height } = box;
  const across = {
    left: control.left + (control.width - width) / 2,
    top: control.top + (control.height - height) / 2,
  };
  const above = control.top - gapPx - height;
  const below = control.bottom + gapPx;
  const before = control.left - gapPx - width;
  const behind = control.right + gapPx;
  const placed = {
    top: { ...across, top: above < marginPx ? below : above },
    bottom: { ...across, top: below + height > window.innerHeight - marginPx ? above : below },
    left: { ...across, left: before < marginPx ? behind : before },
    right: { ...across, left: behind + width > window.innerWidth - marginPx ? before : behind },
  }[side];
  return {
    left: Math.round(Math.max(marginPx, Math.min(placed.left, window.innerWidth - width - marginPx))),
    top: Math.round(placed.top),
  };
}
