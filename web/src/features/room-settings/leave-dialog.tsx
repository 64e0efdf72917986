import { useTranslation } from "../../i18n/use-translation";
import { describeProblem, isProblem } from "../../i18n/problem";
import { useSync } from "../../sync/hooks";
import type { RoomView } from "../../sync/views";
import { ConfirmDialog } from "../../ui/confirm-dialog";

/** Asks before a room is left. */
export default function LeaveDialog({
  room,
  onClose,
  onLeft,
}: {
  room: RoomView;
  onClose: () => void;
  onLeft: () => void;
}) {
  const { t } = useTranslation();
  const { api } = useSync();
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("room.leaveTitle", { room: room.name })}
      description={room.visibility === "private" ? t("room.leavePrivate") : t("room.leavePublic")}
      action={t("room.leave")}
      onConfirm={async () => {
        await api.leaveRoom(room.id);
        onLeft();
      }}
      describeError={(error) =>
        isProblem(error, "conflict") ? t("room.leaveLastOwner") : describeProblem(error, t)
      }
    />
  );
}
