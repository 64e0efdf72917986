import { useMemo, type ReactNode } from "react";
import type { Me } from "../protocol/model";
import { useRooms } from "../sync/hooks";
import { classNames } from "../ui/class-names";
import { Link } from "../ui/navigation";
import { paths } from "../ui/paths";
import { MessageLinksProvider, type MessageLinks } from "../ui/markdown/links";
import styles from "./message-links.module.css";

const roomPath = /^\/rooms\/([0-9a-f-]{36})$/;

/** Draws names of people and rooms in messages, and keeps links to this app inside it. */
export function AppMessageLinks({ me, children }: { me: Me; children: ReactNode }) {
  const { rooms } = useRooms();
  // The list changes with every message; what matters here, names and ids, hardly ever.
  const names = rooms
    .map((room) => `${room.name}\n${room.id}`)
    .sort()
    .join("\n\n");
  const links = useMemo((): MessageLinks => {
    const idsByName = new Map(
      names
        .split("\n\n")
        .map((pair) => pair.split("\n") as [string, string])
        .filter(([name]) => name !== ""),
    );
    return {
      mention: (username) => (
        <span
          className={classNames(
            styles.mention,
            (username === me.username || username === "all") && styles.me,
          )}
        >
          @{username}
        </span>
      ),
      room: (name) => {
        const roomId = idsByName.get(name);
        return roomId === undefined ? null : (
          <Link href={paths.room(roomId)} className={styles.room}>
            #{name}
          </Link>
        );
      },
      internal: (href, words) => {
        const url = new URL(href);
        const roomId = url.origin === location.origin ? roomPath.exec(url.pathname)?.[1] : undefined;
        if (roomId === undefined) return null;
        const at = Number(url.searchParams.get("at")) || null;
        return <Link href={paths.room(roomId, { at })}>{words}</Link>;
      },
    };
  }, [names, me.username]);
  return <MessageLinksProvider links={links}>{children}</MessageLinksProvider>;
}
