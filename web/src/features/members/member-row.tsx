import { AtSign, Ban, Crown, Ellipsis, Mic, MicOff, Shield, UserMinus, UserRound } from "lucide-react";
import { useTranslation } from "react-i18next";
import { formatDateTime } from "../../i18n/format";
import type { Me, Member, Role } from "../../protocol/model";
import { usePresence } from "../../sync/hooks";
import { Avatar } from "../../ui/avatar";
import { IconButton } from "../../ui/icon-button";
import { Menu, MenuItem, MenuSeparator } from "../../ui/menu";
import type { MemberTask } from "./member-dialog";
import styles from "./members.module.css";

/** A person in the room: what they are here, whether they are there, and what one may do. */
export function MemberRow({
  member,
  me,
  myRole,
  tabIndex,
  onMention,
  onTask,
  onChange,
}: {
  member: Member;
  me: Me;
  myRole: Role;
  tabIndex: number;
  onMention: (username: string) => void;
  onTask: (task: MemberTask) => void;
  onChange: (what: { role: "moderator" | "member" } | { muted_until: null }) => void;
}) {
  const { t } = useTranslation();
  const live = usePresence(member.user.id);
  const { user, role } = member;
  const online = live || member.online === true || user.id === me.id;
  const isMe = user.id === me.id;
  const muted = member.muted_until !== null;
  // Owners manage everybody but other owners' place; moderators manage members.
  const manages =
    !isMe && role !== "owner" && (myRole === "owner" || (myRole === "moderator" && role === "member"));
  const presence = online ? t("members.isOnline") : t("members.isOffline");
  return (
    <li
      className={styles.member}
      data-roving={user.id}
      data-user-id={user.id}
      tabIndex={tabIndex}
      aria-label={[user.display_name, t(`members.${role}`), presence].join(", ")}
    >
      <Avatar id={user.id} name={user.display_name} picture={user.avatar_url} size={32} online={online} />
      <div className={styles.words}>
        <span className={styles.name}>
          <bdi>{user.display_name}</bdi>
          {isMe && <span className={styles.detail}>{t("members.you")}</span>}
        </span>
        <span className={styles.detail}>
          {member.muted_until
            ? t("members.mutedUntil", { until: formatDateTime(member.muted_until) })
            : `@${user.username}`}
        </span>
      </div>
      {!isMe && (
        <Menu
          trigger={
            <IconButton
              size="small"
              className={styles.menu}
              label={t("members.menu", { name: user.display_name })}
              tooltipSide="left"
              icon={<Ellipsis />}
            />
          }
        >
          <MenuItem icon={<AtSign />} onSelect={() => onMention(user.username)}>
            {t("members.mention")}
          </MenuItem>
          {manages && (
            <>
              <MenuSeparator />
              {myRole === "owner" && (
                <MenuItem icon={<Crown />} onSelect={() => onTask({ kind: "owner", member })}>
                  {t("members.makeOwner")}
                </MenuItem>
              )}
              {myRole === "owner" && role === "member" && (
                <MenuItem icon={<Shield />} onSelect={() => onChange({ role: "moderator" })}>
                  {t("members.makeModerator")}
                </MenuItem>
              )}
              {myRole === "owner" && role === "moderator" && (
                <MenuItem icon={<UserRound />} onSelect={() => onChange({ role: "member" })}>
                  {t("members.makeMember")}
                </MenuItem>
              )}
              {muted ? (
                <MenuItem icon={<Mic />} onSelect={() => onChange({ muted_until: null })}>
                  {t("members.unmute")}
                </MenuItem>
              ) : (
                <MenuItem icon={<MicOff />} onSelect={() => onTask({ kind: "mute", member })}>
                  {t("members.mute")}
                </MenuItem>
              )}
              <MenuSeparator />
              <MenuItem danger icon={<UserMinus />} onSelect={() => onTask({ kind: "remove", member })}>
                {t("members.remove")}
              </MenuItem>
              <MenuItem danger icon={<Ban />} onSelect={() => onTask({ kind: "ban", member })}>
                {t("members.ban")}
              </MenuItem>
            </>
          )}
        </Menu>
      )}
    </li>
  );
}
