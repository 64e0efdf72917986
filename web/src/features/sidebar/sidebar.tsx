import { Compass, Plus, Search, Settings } from "lucide-react";
import type { ReactNode } from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { RoomId } from "../../protocol/ids";
import type { Me } from "../../protocol/model";
import { useRooms } from "../../sync/hooks";
import { Avatar } from "../../ui/avatar";
import { IconButton } from "../../ui/icon-button";
import { Mark } from "../../ui/mark";
import { Menu } from "../../ui/menu";
import { Link } from "../../ui/navigation";
import { paths } from "../../ui/paths";
import { SkeletonBar } from "../../ui/skeleton";
import { useDelayed } from "../../ui/use-delayed";
import { useRovingFocus } from "../../ui/use-roving-focus";
import { RoomLink } from "./room-link";
import styles from "./sidebar.module.css";

/** Rooms, what is unread in them, and me. */
export function Sidebar({
  me,
  currentRoomId,
  connectionLine,
  onNewRoom,
  onBrowse,
  onSwitch,
}: {
  me: Me;
  currentRoomId: RoomId | null;
  connectionLine: ReactNode;
  onNewRoom: () => void;
  onBrowse: () => void;
  onSwitch: () => void;
}) {
  const { t } = useTranslation();
  const { status, rooms } = useRooms();
  // What is open stays where it is while it is read; only other rooms move up when something comes.
  const unread = rooms.filter(
    (room) => room.unread > 0 && room.notify !== "none" && room.id !== currentRoomId,
  );
  const others = rooms.filter((room) => !unread.includes(room));
  const roving = useRovingFocus(
    [...unread, ...others].map((room) => room.id),
    currentRoomId,
  );
  const slow = useDelayed(status === "loading", 150);

  return (
    <nav className={styles.sidebar} aria-label={t("sidebar.label")}>
      <header className={styles.header}>
        <Link href={paths.home} className={styles.brand}>
          <Mark size={24} />
          <span>{t("app.name")}</span>
        </Link>
        <IconButton
          label={t("sidebar.switcher")}
          keys={["Mod", "K"]}
          icon={<Search />}
          tooltipSide="bottom"
          onClick={onSwitch}
        />
        <Menu
          label={t("sidebar.add")}
          align="start"
          trigger={(props) => (
            <IconButton {...props} label={t("sidebar.add")} icon={<Plus />} tooltipSide="bottom" />
          )}
          entries={[
            { label: t("sidebar.newRoom"), icon: <Plus />, onSelect: onNewRoom },
            { label: t("sidebar.browse"), icon: <Compass />, onSelect: onBrowse },
          ]}
        />
      </header>
      <div className={styles.lists} {...roving.handlers}>
        {unread.length > 0 && (
          <section aria-labelledby="sidebar-unread">
            <h2 className={styles.heading} id="sidebar-unread">
              {t("sidebar.unread")}
            </h2>
            <ul>
              {unread.map((room) => (
                <RoomLink key={room.id} room={room} current={false} tabIndex={roving.tabIndexOf(room.id)} />
              ))}
            </ul>
          </section>
        )}
        {(others.length > 0 || status === "loading" || rooms.length === 0) && (
          <section aria-labelledby="sidebar-rooms">
            <h2 className={styles.heading} id="sidebar-rooms">
              {t("sidebar.rooms")}
            </h2>
            {slow && (
              <div className={styles.skeletons} role="status" aria-label={t("common.loading")}>
                {["62%", "44%", "71%", "52%"].map((width) => (
                  <SkeletonBar key={width} width={width} />
                ))}
              </div>
            )}
            {status === "ready" && rooms.length === 0 && (
              <p className={styles.none}>{t("sidebar.noRooms")}</p>
            )}
            <ul>
              {others.map((room) => (
                <RoomLink
                  key={room.id}
                  room={room}
                  current={room.id === currentRoomId}
                  tabIndex={roving.tabIndexOf(room.id)}
                />
              ))}
            </ul>
          </section>
        )}
        <button type="button" className={styles.browse} onClick={onBrowse}>
          <Compass aria-hidden="true" />
          {t("sidebar.browse")}
        </button>
      </div>
      {connectionLine}
      <footer className={styles.me}>
        <Avatar id={me.id} name={me.display_name} picture={me.avatar_url} size={32} />
        <div className={styles.meWords}>
          <bdi className={styles.meName}>{me.display_name}</bdi>
          <Link href={paths.settings} className={styles.meStatus}>
            {me.status || t("sidebar.setStatus")}
          </Link>
        </div>
        <Link
          href={paths.settings}
          className={styles.gear}
          aria-label={t("sidebar.settings")}
          title={t("sidebar.settings")}
        >
          <Settings aria-hidden="true" />
        </Link>
      </footer>
    </nav>
  );
}
