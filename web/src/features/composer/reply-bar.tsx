import { Reply, X } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import type { MessageId, RoomId } from "../../protocol/ids";
import { useTimeline } from "../../sync/hooks";
import { IconButton } from "../../ui/icon-button";
import { plainText } from "../../ui/markdown/parse";
import styles from "./composer.module.css";

/** Says which message will be answered. */
export function ReplyBar({
  roomId,
  replyTo,
  onCancel,
}: {
  roomId: RoomId;
  replyTo: MessageId;
  onCancel: () => void;
}) {
  const { t } = useTranslation();
  const { items } = useTimeline(roomId);
  const index = items.indexOfKey(replyTo);
  const item = index < 0 ? undefined : items.at(index);
  const message = item?.kind === "message" ? item.message : null;
  return (
    <div className={styles.reply}>
      <Reply aria-hidden="true" />
      <span className={styles.replyWords}>
        <strong>
          {message
            ? t("composer.replyingTo", { name: message.sender.display_name })
            : t("message.replyUnknown")}
        </strong>{" "}
        {message && plainText(message.body, 120)}
      </span>
      <IconButton
        size="small"
        label={t("composer.cancelReply")}
        keys={["Escape"]}
        icon={<X />}
        onClick={onCancel}
      />
    </div>
  );
}
