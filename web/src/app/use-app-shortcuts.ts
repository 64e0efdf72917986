import { useEffect, useEffectEvent } from "react";
import { appShortcuts, type AppShortcut } from "../features/shortcuts/shortcuts";
import type { RoomId } from "../protocol/ids";
import { useSync } from "../sync/hooks";
import { isTypingTarget, matchesKeys } from "../ui/keyboard";

/** The event that a screen listens to for shortcuts that only it can carry out. */
export const screenShortcut = "blabber-hive:shortcut";

/** Handles the keys of the whole app; those that belong to the open room are passed on to it. */
export function useAppShortcuts(given: {
  currentRoomId: RoomId | null;
  onSwitcher: () => void;
  onHelp: () => void;
  onOpenRoom: (roomId: RoomId) => void;
  onSettings: () => void;
}): void {
  const sync = useSync();

  const run = useEffectEvent((shortcut: AppShortcut) => {
    const { rooms } = sync.views.rooms();
    const place = rooms.findIndex((room) => room.id === given.currentRoomId);
    switch (shortcut) {
      case "switcher":
        given.onSwitcher();
        return;
      case "help":
        given.onHelp();
        return;
      case "settings":
        given.onSettings();
        return;
      case "nextUnread":
      case "previousRoom":
      case "nextRoom": {
        const target =
          shortcut === "nextUnread"
            ? rooms.find((room) => room.unread > 0 && room.id !== given.currentRoomId)
            : rooms[place + (shortcut === "nextRoom" ? 1 : -1)];
        if (target) given.onOpenRoom(target.id);
        return;
      }
      case "toComposer":
      case "toMessages":
      case "members":
      case "mood":
        window.dispatchEvent(new CustomEvent(screenShortcut, { detail: shortcut }));
    }
  });

  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.isComposing) return;
      const shortcut = (Object.keys(appShortcuts) as AppShortcut[]).find((name) =>
        matchesKeys(event, appShortcuts[name]),
      );
      if (!shortcut || (shortcut === "help" && isTypingTarget(event.target))) return;
      event.preventDefault();
      run(shortcut);
    };
    window.addEventListener("keydown", onKeyDown);
    return () => {
      window.removeEventListener("keydown", onKeyDown);
    };
  }, []);
}
