import { Bell, CheckCheck, Ellipsis, Hash, Lock, LogOut, Settings, UserPlus, Users } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { formatNumber } from "../../i18n/format";
import type { RoomView } from "../../sync/views";
import { IconButton } from "../../ui/icon-button";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu";
import { Tooltip } from "../../ui/tooltip";
import styles from "./room-header.module.css";

/** The name of the room, what it is for, who is in it and what can be done with it. */
export function RoomHeader({
  room,
  backButton,
  membersShown,
  onMembers,
  onSettings,
  onMarkRead,
  onLeave,
}: {
  room: RoomView;
  backButton: ReactNode;
  membersShown: boolean;
  onMembers: () => void;
  onSettings: () => void;
  onMarkRead: () => void;
  onLeave: () => void;
}) {
  const { t } = useTranslation();
  const Icon = room.visibility === "private" ? Lock : Hash;
  const moderates = room.role !== "member";
  return (
    <header className={styles.header}>
      {backButton}
      <div className={styles.words}>
        <h1 className={styles.name}>
          <Icon
            role="img"
            aria-label={room.visibility === "private" ? t("sidebar.privateRoom") : t("sidebar.publicRoom")}
          />
          <bdi>{room.name}</bdi>
        </h1>
        {room.topic ? (
          <p className={styles.topic} title={room.topic}>
            <bdi>{room.topic}</bdi>
          </p>
        ) : (
          moderates && (
            <button type="button" className={styles.addTopic} onClick={onSettings}>
              {t("room.topicNone")}
            </button>
          )
        )}
      </div>
      <Tooltip content={t("room.members")} side="bottom">
        <button
          type="button"
          className={styles.members}
          aria-label={t("room.membersCount", { count: room.members })}
          aria-pressed={membersShown}
          onClick={onMembers}
        >
          <Users aria-hidden="true" />
          <span className="tabular" aria-hidden="true">
            {formatNumber(room.members)}
          </span>
        </button>
      </Tooltip>
      <Menu trigger={<IconButton label={t("room.menu")} tooltipSide="bottom" icon={<Ellipsis />} />}>
        <MenuItem icon={<UserPlus />} onSelect={onSettings}>
          {t("room.invite")}
        </MenuItem>
        <MenuItem icon={<Bell />} onSelect={onSettings}>
          {t("room.notifications")}
        </MenuItem>
        <MenuItem icon={<Settings />} onSelect={onSettings}>
          {t("room.settings")}
        </MenuItem>
        <MenuItem icon={<CheckCheck />} onSelect={onMarkRead}>
          {t("room.markRead")}
        </MenuItem>
        <MenuSeparator />
        <MenuItem danger icon={<LogOut />} onSelect={onLeave}>
          {t("room.leave")}
        </MenuItem>
      </Menu>
    </header>
  );
}
