import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem } from "../../i18n/problem";
import { useSync } from "../../sync/hooks";
import type { RoomView } from "../../sync/views";
import { Switch } from "../../ui/switch";
import { useToast } from "../../ui/toast";
import styles from "./room-settings.module.css";

/** Whether the messages of a room are read for how they sound: its owner's choice, and a line for everybody else. */
export function MoodSwitch({ room }: { room: RoomView }) {
  const { t } = useTranslation();
  const { api } = useSync();
  const toast = useToast();
  // What was chosen is shown until the room itself says so.
  const [wanted, setWanted] = useState<boolean | null>(null);
  if (wanted === room.moodEnabled) setWanted(null);

  async function change(enabled: boolean) {
    setWanted(enabled);
    try {
      await api.changeRoom(room.id, { mood_enabled: enabled });
    } catch (problem) {
      setWanted(null);
      toast({ message: describeProblem(problem, t) });
    }
  }

  if (room.role !== "owner") {
    return (
      <p className={styles.lead}>
        {t(room.moodEnabled ? "roomSettings.moodIsOn" : "roomSettings.moodIsOff")}
      </p>
    );
  }
  return (
    <Switch
      label={t("roomSettings.moodShow")}
      hint={t("roomSettings.moodPrivacy")}
      checked={wanted ?? room.moodEnabled}
      busy={wanted !== null}
      onChange={(enabled) => void change(enabled)}
    />
  );
}
