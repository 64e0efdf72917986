import { useTranslation } from "../../i18n/use-translation";
import type { RoomId, UserId } from "../../protocol/ids";
import type { Message } from "../../protocol/model";
import { describeProblem } from "../../i18n/problem";
import { useMessageActions } from "../../sync/hooks";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { plainText } from "../../ui/markdown/parse";
import styles from "./remove-dialog.module.css";

/** Asks before a message is deleted, and shows which. */
export default function RemoveDialog({
  roomId,
  message,
  meId,
  onClose,
}: {
  roomId: RoomId;
  message: Message;
  meId: UserId;
  onClose: () => void;
}) {
  const { t } = useTranslation();
  const { remove } = useMessageActions(roomId);
  const mine = message.sender.id === meId;
  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={
        mine ? t("message.deleteTitle") : t("message.deleteTitleOther", { name: message.sender.display_name })
      }
      description={t("message.deleteLead")}
      action={t("message.delete")}
      onConfirm={() => remove(message.id)}
      describeError={(error) => describeProblem(error, t)}
    >
      <blockquote className={styles.quote}>{plainText(message.body, 160)}</blockquote>
    </ConfirmDialog>
  );
}
