import { Copy, Ellipsis, Link, MailOpen, Pencil, Reply, SmilePlus, Trash2 } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import type { Message } from "../../protocol/model";
import { EmojiPopover } from "../../ui/emoji/emoji-popover";
import { IconButton } from "../../ui/icon-button";
import { Menu } from "../../ui/menu";
import { useTimelineActions, type Rights } from "./timeline-actions";
import styles from "./message-row.module.css";

/** What can be done to a message: shown while its row is pointed at, focused or held. */
export function MessageActions({
  message,
  mine,
  rights,
  menuOpen,
  pickerOpen,
  onMenuOpenChange,
  onPickerOpenChange,
}: {
  message: Message;
  mine: boolean;
  rights: Rights;
  menuOpen: boolean;
  pickerOpen: boolean;
  onMenuOpenChange: (open: boolean) => void;
  onPickerOpenChange: (open: boolean) => void;
}) {
  const { t } = useTranslation();
  const actions = useTimelineActions();
  const canEdit = mine && rights.write;
  return (
    <div className={styles.actions} role="toolbar" aria-label={t("message.actions")}>
      {rights.write && (
        <>
          <EmojiPopover
            open={pickerOpen}
            onOpenChange={onPickerOpenChange}
            trigger={(props) => (
              <IconButton
                {...props}
                size="small"
                label={t("message.react")}
                keys={["+"]}
                icon={<SmilePlus />}
              />
            )}
            onPick={(emoji) => {
              actions.toggleReaction(message, emoji);
            }}
          />
          <IconButton
            size="small"
            label={t("message.reply")}
            keys={["R"]}
            icon={<Reply />}
            onClick={() => {
              actions.reply(message);
            }}
          />
        </>
      )}
      {canEdit && (
        <IconButton
          size="small"
          label={t("message.edit")}
          keys={["E"]}
          icon={<Pencil />}
          onClick={() => {
            actions.startEdit(message.id);
          }}
        />
      )}
      <Menu
        label={t("message.more")}
        open={menuOpen}
        onOpenChange={onMenuOpenChange}
        trigger={(props) => (
          <IconButton {...props} size="small" label={t("message.more")} icon={<Ellipsis />} />
        )}
        entries={[
          { label: t("message.copyText"), icon: <Copy />, onSelect: () => actions.copyText(message) },
          { label: t("message.copyLink"), icon: <Link />, onSelect: () => actions.copyLink(message) },
          {
            label: t("message.markUnread"),
            icon: <MailOpen />,
            keys: ["U"],
            onSelect: () => actions.markUnread(message.seq),
          },
          ...(mine || rights.moderate
            ? [
                "separator" as const,
                {
                  label: t("message.delete"),
                  icon: <Trash2 />,
                  keys: ["Delete"],
                  danger: true,
                  onSelect: () => actions.askRemove(message),
                },
              ]
            : []),
        ]}
      />
    </div>
  );
}
