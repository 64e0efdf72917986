import { BellOff, Hash, Lock, PencilLine } from "lucide-react";
import { memo } from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { Message } from "../../protocol/model";
import type { RoomSummary } from "../../sync/views";
import { classNames } from "../../ui/class-names";
import { plainText } from "../../ui/markdown/parse";
import { Link } from "../../ui/navigation";
import { paths } from "../../ui/paths";
import styles from "./sidebar.module.css";

const countShownMax = 99;
const lastCharsMax = 80;

/** A room in the sidebar: its name says to everybody, also aloud, how much in it is unread. */
export const RoomLink = memo(function RoomLink({
  room,
  current,
  tabIndex,
}: {
  room: RoomSummary;
  current: boolean;
  tabIndex: number;
}) {
  const { t } = useTranslation();
  const Icon = room.visibility === "private" ? Lock : Hash;
  const off = room.notify === "none";
  const loud = room.unread > 0 && !off;
  const spoken = [
    room.unread > 0 ? t("sidebar.roomUnread", { room: room.name, count: room.unread }) : room.name,
    room.mentions > 0 && t("sidebar.roomMentions", { count: room.mentions }),
    room.draft && !current && t("sidebar.roomDraft"),
    off && t("sidebar.muted"),
  ];
  return (
    <li className={styles.item}>
      <Link
        href={paths.room(room.id)}
        className={classNames(styles.room, current && styles.current, loud && styles.loud, off && styles.off)}
        aria-current={current ? "page" : undefined}
        data-roving={room.id}
        data-room-id={room.id}
        tabIndex={tabIndex}
      >
        <span className="visually-hidden">{spoken.filter(Boolean).join(", ")}</span>
        <Icon aria-hidden="true" />
        <span className={styles.words} aria-hidden="true">
          <bdi className={styles.name}>{room.name}</bdi>
          {room.lastMessage && <LastMessage message={room.lastMessage} />}
        </span>
        {room.draft && !current && <PencilLine className={styles.draft} aria-hidden="true" />}
        {off && <BellOff className={styles.draft} aria-hidden="true" />}
        {room.mentions > 0 && loud ? (
          <span className={classNames(styles.badge, styles.mention)} aria-hidden="true">
            @{capped(room.mentions, t("sidebar.moreThan99"))}
          </span>
        ) : (
          loud && (
            <span className={styles.badge} aria-hidden="true">
              {capped(room.unread, t("sidebar.moreThan99"))}
            </span>
          )
        )}
      </Link>
    </li>
  );
});

/** What was said last, in one line; seen, not heard: a list that reads every message aloud is no list of rooms. */
function LastMessage({ message }: { message: Message }) {
  const { t } = useTranslation();
  return (
    <span className={styles.last}>
      {message.deleted_at === null ? (
        <>
          <bdi>{message.sender.display_name}</bdi>: {plainText(message.body, lastCharsMax)}
        </>
      ) : (
        t("message.deleted")
      )}
    </span>
  );
}

function capped(count: number, over: string): string {
  return count > countShownMax ? over : String(count);
}
