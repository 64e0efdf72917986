import { AtSign, Ban, Crown, Ellipsis, Mic, MicOff, Shield, UserMinus, UserRound } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import { formatDateTime } from "../../i18n/format";
import type { Me, Member, Role } from "../../protocol/model";
import { usePresence } from "../../sync/hooks";
import { Avatar } from "../../ui/avatar";
import { IconButton } from "../../ui/icon-button";
import { Menu, type MenuEntry } from "../../ui/menu";
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
  const entries: MenuEntry[] = [
    { label: t("members.mention"), icon: <AtSign />, onSelect: () => onMention(user.username) },
  ];
  if (manages) {
    entries.push("separator");
    if (myRole === "owner") {
      entries.push({
        label: t("members.makeOwner"),
        icon: <Crown />,
        onSelect: () => onTask({ kind: "owner", member }),
      });
      entries.push(
        role === "member"
          ? {
              label: t("members.makeModerator"),
              icon: <Shield />,
              onSelect: () => onChange({ role: "moderator" }),
            }
          : {
              label: t("members.makeMember"),
              icon: <UserRound />,
              onSelect: () => onChange({ role: "member" }),
            },
      );
    }
    entries.push(
      muted
        ? { label: t("members.unmute"), icon: <Mic />, onSelect: () => onChange({ muted_until: null }) }
        : { label: t("members.mute"), icon: <MicOff />, onSelect: () => onTask({ kind: "mute", member }) },
      "separator",
      {
        label: t("members.remove"),
        icon: <UserMinus />,
        danger: true,
        onSelect: () => onTask({ kind: "remove", member }),
      },
      {
        label: t("members.ban"),
        icon: <Ban />,
        danger: true,
        onSelect: () => onTask({ kind: "ban", member }),
      },
    );
  }
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
          label={t("members.menu", { name: user.display_name })}
          trigger={(props) => (
            <IconButton
              {...props}
              size="small"
              className={styles.menu}
              label={t("members.menu", { name: user.display_name })}
              tooltipSide="left"
              icon={<Ellipsis />}
            />
          )}
          entries={entries}
        />
      )}
    </li>
  );
}
