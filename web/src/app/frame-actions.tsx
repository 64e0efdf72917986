import { createContext, use } from "react";
import type { RoomId } from "../protocol/ids";

/** What any screen in the frame can open. */
export interface FrameActions {
  openRoom: (roomId: RoomId) => void;
  openNewRoom: () => void;
  browse: (query: string) => void;
  showShortcuts: () => void;
}

const FrameContext = createContext<FrameActions | null>(null);

/** Gives the screens below it what the frame can open. */
export const FrameActionsProvider = FrameContext;

/** What the frame around a screen can open. */
export function useFrame(): FrameActions {
  const actions = use(FrameContext);
  if (!actions) throw new Error("useFrame outside the frame");
  return actions;
}
