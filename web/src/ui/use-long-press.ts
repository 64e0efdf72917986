import { useRef, type PointerEvent } from "react";

const holdMs = 450;
const driftPxMax = 10;

/** Handlers that call `onLongPress` when a finger rests on the element; a scroll or a tap does not count. */
export function useLongPress(onLongPress: () => void) {
  const press = useRef<{ timer: ReturnType<typeof setTimeout>; x: number; y: number } | null>(null);

  function cancel() {
    if (press.current) clearTimeout(press.current.timer);
    press.current = null;
  }

  return {
    onPointerDown(event: PointerEvent) {
      if (event.pointerType !== "touch") return;
      cancel();
      press.current = {
        x: event.clientX,
        y: event.clientY,
        timer: setTimeout(() => {
          press.current = null;
          onLongPress();
        }, holdMs),
      };
    },
    onPointerMove(event: PointerEvent) {
      const start = press.current;
      if (start && Math.hypot(event.clientX - start.x, event.clientY - start.y) > driftPxMax) cancel();
    },
    onPointerUp: cancel,
    onPointerCancel: cancel,
  };
}
