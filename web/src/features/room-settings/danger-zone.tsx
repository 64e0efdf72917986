import { LogOut, Trash2 } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem } from "../../i18n/problem";
import { useSync } from "../../sync/hooks";
import type { RoomView } from "../../sync/views";
import { Button } from "../../ui/button";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { Field } from "../../ui/field";
import styles from "./room-settings.module.css";

/** What cannot be taken back: leaving, and for owners deleting the room. */
export function DangerZone({
  room,
  onLeave,
  onGone,
}: {
  room: RoomView;
  onLeave: () => void;
  onGone: () => void;
}) {
  const { t } = useTranslation();
  const { api } = useSync();
  const [deleting, setDeleting] = useState(false);
  const [typed, setTyped] = useState("");
  return (
    <div className={styles.danger}>
      <Button icon={<LogOut />} onClick={onLeave}>
        {t("roomSettings.leave")}
      </Button>
      {room.role === "owner" && (
        <Button
          kind="dangerQuiet"
          icon={<Trash2 />}
          onClick={() => {
            setTyped("");
            setDeleting(true);
          }}
        >
          {t("roomSettings.delete")}
        </Button>
      )}
      <ConfirmDialog
        open={deleting}
        onOpenChange={setDeleting}
        title={t("roomSettings.deleteTitle", { room: room.name })}
        description={t("roomSettings.deleteLead")}
        action={t("roomSettings.delete")}
        ready={typed.trim() === room.name}
        onConfirm={async () => {
          await api.deleteRoom(room.id);
          onGone();
        }}
        describeError={(error) => describeProblem(error, t)}
      >
        <Field
          className={styles.confirm}
          label={t("roomSettings.deleteConfirm")}
          placeholder={room.name}
          autoComplete="off"
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
          }}
        />
      </ConfirmDialog>
    </div>
  );
}
