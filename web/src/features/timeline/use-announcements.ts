import { useEffect } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatTime } from "../../i18n/format";
import type { RoomId } from "../../protocol/ids";
import { useSync } from "../../sync/hooks";
import { useAnnouncer } from "../../ui/live-region";
import { plainText } from "../../ui/markdown/parse";

/** Reads out what others say in the open room as it arrives: name and text first, the time last. */
export function useAnnouncements(roomId: RoomId): void {
  const sync = useSync();
  const { announce, hush } = useAnnouncer();
  const { t } = useTranslation();
  useEffect(
    () =>
      sync.onArrival((arrival) => {
        if (arrival.roomId !== roomId) return;
        announce(
          t("timeline.announce", {
            name: arrival.sender.display_name,
            text: plainText(arrival.body),
            time: formatTime(new Date().toISOString()),
          }),
        );
      }),
    [sync, roomId, announce, t],
  );
  // Where a room is left, or taken from somebody, its words go with it.
  useEffect(() => hush, [roomId, hush]);
}
