import { Hash, Lock, Search } from "lucide-react";
import { useState, type KeyboardEvent } from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { RoomId } from "../../protocol/ids";
import { useRooms } from "../../sync/hooks";
import type { RoomSummary } from "../../sync/views";
import { Dialog } from "../../ui/dialog";
import { fuzzyScore } from "./fuzzy";
import styles from "./switcher.module.css";

const shownMax = 12;

/** The rooms for a few letters, best first; without letters the most recent, those with something unread before the others. */
function find(rooms: readonly RoomSummary[], query: string): readonly RoomSummary[] {
  if (query.trim() === "") {
    const unread = rooms.filter((room) => room.unread > 0);
    return [...unread, ...rooms.filter((room) => room.unread === 0)].slice(0, shownMax);
  }
  return rooms
    .flatMap((room) => {
      const score = fuzzyScore(room.name, query);
      return score === null ? [] : [{ room, score }];
    })
    .sort((a, b) => b.score - a.score)
    .slice(0, shownMax)
    .map(({ room }) => room);
}

/** Jumps to a room by a few letters of its name. */
export default function Switcher({
  onClose,
  onOpen,
  onBrowse,
}: {
  onClose: () => void;
  onOpen: (roomId: RoomId) => void;
  /** Looks for these letters among all open rooms. */
  onBrowse: (query: string) => void;
}) {
  const { t } = useTranslation();
  const { rooms } = useRooms();
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const found = find(rooms, query);
  const chosen = Math.min(active, found.length - 1);

  function onKeyDown(event: KeyboardEvent) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "ArrowDown") setActive((chosen + 1) % Math.max(1, found.length));
    else if (event.key === "ArrowUp") setActive((chosen + found.length - 1) % Math.max(1, found.length));
    else if (event.key === "Enter") {
      const room = found[chosen];
      if (room) onOpen(room.id);
      else if (query.trim() !== "") onBrowse(query.trim());
    } else return;
    event.preventDefault();
  }

  return (
    <Dialog
      open
      bare
      size="wide"
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("switcher.title")}
    >
      <div className={styles.search}>
        <Search aria-hidden="true" />
        <input
          autoFocus
          className={styles.input}
          role="combobox"
          aria-expanded="true"
          aria-controls="switcher-list"
          aria-activedescendant={found[chosen] ? `switcher-${chosen}` : undefined}
          aria-label={t("switcher.title")}
          placeholder={t("switcher.placeholder")}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <ul id="switcher-list" className={styles.list} role="listbox" aria-label={t("sidebar.rooms")}>
        {found.map((room, index) => (
          <li
            key={room.id}
            id={`switcher-${index}`}
            role="option"
            aria-selected={index === chosen}
            className={styles.option}
            ref={index === chosen ? (element) => element?.scrollIntoView({ block: "nearest" }) : undefined}
            onPointerMove={() => {
              if (index !== chosen) setActive(index);
            }}
            onClick={() => {
              onOpen(room.id);
            }}
          >
            <span className="visually-hidden">
              {room.unread > 0 ? t("sidebar.roomUnread", { room: room.name, count: room.unread }) : room.name}
            </span>
            <span className={styles.words} aria-hidden="true">
              {room.visibility === "private" ? <Lock /> : <Hash />}
              <bdi className={styles.name}>{room.name}</bdi>
              <span className={styles.topic}>{room.topic}</span>
              {room.unread > 0 && (
                <span className={styles.unread}>
                  {room.unread > 99 ? t("sidebar.moreThan99") : room.unread}
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
      {found.length === 0 && query.trim() !== "" && (
        <p className={styles.none} role="status">
          {t("switcher.none", { query: query.trim() })}
          <span className={styles.hint}>{t("switcher.noneHint")}</span>
        </p>
      )}
    </Dialog>
  );
}
