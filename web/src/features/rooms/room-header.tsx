import {
  Bell,
  ChartNoAxesColumn,
  CheckCheck,
  Ellipsis,
  Hash,
  Lock,
  LogOut,
  Settings,
  UserPlus,
  Users,
} from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatNumber } from "../../i18n/format";
import type { RoomView } from "../../sync/views";
import { IconButton } from "../../ui/icon-button";
import { Menu } from "../../ui/menu";
import { Tooltip } from "../../ui/tooltip";
import styles from "./room-header.module.css";

/** The name of the room, what it is for, who is in it and what can be done with it. */
export function RoomHeader({
  room,
  backButton,
  membersShown,
  moodShown,
  onMembers,
  onMood,
  onSettings,
  onMarkRead,
  onLeave,
}: {
  room: RoomView;
  backButton: ReactNode;
  membersShown: boolean;
  moodShown: boolean;
  onMembers: () => void;
  /** Null where the room has no moods. */
  onMood: (() => void) | null;
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
      {onMood && (
        <IconButton
          className={styles.mood}
          label={t("room.mood")}
          tooltipSide="bottom"
          icon={<ChartNoAxesColumn />}
          aria-pressed={moodShown}
          onClick={onMood}
        />
      )}
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
      <Menu
        label={t("room.menu")}
        trigger={(props) => (
          <IconButton {...props} label={t("room.menu")} tooltipSide="bottom" icon={<Ellipsis />} />
        )}
        entries={[
          ...(onMood ? [{ label: t("room.mood"), icon: <ChartNoAxesColumn />, onSelect: onMood }] : []),
          { label: t("room.invite"), icon: <UserPlus />, onSelect: onSettings },
          { label: t("room.notifications"), icon: <Bell />, onSelect: onSettings },
          { label: t("room.settings"), icon: <Settings />, onSelect: onSettings },
          { label: t("room.markRead"), icon: <CheckCheck />, onSelect: onMarkRead },
          "separator",
          { label: t("room.leave"), icon: <LogOut />, danger: true, onSelect: onLeave },
        ]}
      />
    </header>
  );
}
