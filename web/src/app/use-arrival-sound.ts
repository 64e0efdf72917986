import { useEffect } from "react";
import type { RoomId } from "../protocol/ids";
import { useSync } from "../sync/hooks";
import { isSoundOn, playSound } from "../ui/sound";

/** Plays a sound for what arrives out of sight, in rooms that want it, for who asked for sounds. */
export function useArrivalSound(openRoomId: RoomId | null): void {
  const sync = useSync();
  useEffect(
    () =>
      sync.onArrival((arrival) => {
        if (!isSoundOn()) return;
        const state = sync.views.room(arrival.roomId);
        if (state.status !== "ready" || state.room.notify === "none") return;
        if (state.room.notify === "mentions" && !arrival.mentionsMe) return;
        if (arrival.roomId === openRoomId && document.hasFocus()) return;
        playSound();
      }),
    [sync, openRoomId],
  );
}
