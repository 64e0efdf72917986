import { Hash, Search } from "lucide-react";
import { useEffect, useState, type ReactNode } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatExact, formatRelative } from "../../i18n/format";
import { describeProblem, isProblem } from "../../i18n/problem";
import type { RoomId } from "../../protocol/ids";
import type { BrowsedRoom } from "../../protocol/model";
import { useSync } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { EmptyState } from "../../ui/empty-state";
import { InlineError } from "../../ui/inline-error";
import { SkeletonRows } from "../../ui/skeleton";
import { useToast } from "../../ui/toast";
import styles from "./browse.module.css";

const searchedAfterMs = 200;

interface Found {
  query: string;
  rooms: readonly BrowsedRoom[];
  cursor: string | null;
}

/** Public rooms: find one, see who is there, join with one click. */
export default function BrowsePage({
  backButton,
  onOpen,
  onNewRoom,
  initialQuery,
}: {
  backButton: ReactNode;
  onOpen: (roomId: RoomId) => void;
  onNewRoom: () => void;
  initialQuery: string;
}) {
  const { t } = useTranslation();
  const { api } = useSync();
  const toast = useToast();
  const [query, setQuery] = useState(initialQuery);
  const [found, setFound] = useState<Found>();
  const [failure, setFailure] = useState<string>();
  const [attempt, setAttempt] = useState(0);
  const [joining, setJoining] = useState<RoomId | null>(null);

  useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(
      () => {
        api.browseRooms(query.trim(), null, abort.signal).then(
          (page) => {
            setFailure(undefined);
            setFound({ query: query.trim(), rooms: page.rooms, cursor: page.next_cursor });
          },
          (problem: unknown) => {
            if (!abort.signal.aborted) setFailure(describeProblem(problem, t));
          },
        );
      },
      query === initialQuery ? 0 : searchedAfterMs,
    );
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [api, query, initialQuery, attempt, t]);

  async function more() {
    if (!found?.cursor) return;
    try {
      const page = await api.browseRooms(found.query, found.cursor);
      setFound({ ...found, rooms: [...found.rooms, ...page.rooms], cursor: page.next_cursor });
    } catch (problem) {
      toast({ message: describeProblem(problem, t) });
    }
  }

  async function join(room: BrowsedRoom) {
    setJoining(room.id);
    try {
      if (!room.joined) await api.joinRoom(room.id);
      onOpen(room.id);
    } catch (problem) {
      toast({ message: isProblem(problem, "banned") ? t("errors.banned") : describeProblem(problem, t) });
      setJoining(null);
    }
  }

  return (
    <div className={styles.page}>
      <header className={styles.header}>
        {backButton}
        <h1 className={styles.title}>{t("browse.title")}</h1>
      </header>
      <div className={styles.scroll}>
        <div className={styles.column}>
          <div className={styles.search} role="search">
            <Search aria-hidden="true" />
            <input
              autoFocus
              type="search"
              className={styles.input}
              aria-label={t("browse.search")}
              placeholder={t("browse.searchPlaceholder")}
              value={query}
              onChange={(event) => {
                setQuery(event.target.value);
              }}
            />
          </div>
          {failure && (
            <div className={styles.failure}>
              <InlineError message={failure} />
              <Button
                onClick={() => {
                  setAttempt(attempt + 1);
                }}
              >
                {t("common.retry")}
              </Button>
            </div>
          )}
          {!found && !failure && <SkeletonRows count={6} avatars={false} label={t("common.loading")} />}
          {found && (
            <p className="visually-hidden" role="status">
              {t("browse.found", { count: found.rooms.length })}
            </p>
          )}
          {found && found.rooms.length > 0 && (
            <ul className={styles.list}>
              {found.rooms.map((room) => (
                <BrowseRow
                  key={room.id}
                  room={room}
                  busy={joining === room.id}
                  onJoin={() => void join(room)}
                />
              ))}
            </ul>
          )}
          {found?.cursor && (
            <div className={styles.more}>
              <Button onClick={() => void more()}>{t("common.loadMore")}</Button>
            </div>
          )}
          {found?.rooms.length === 0 && (
            <EmptyState
              title={
                found.query === "" ? t("browse.emptyTitle") : t("browse.noneTitle", { query: found.query })
              }
              actions={
                <Button kind="primary" onClick={onNewRoom}>
                  {t("home.makeRoom")}
                </Button>
              }
            >
              {found.query === "" ? t("browse.emptyLead") : t("browse.noneLead")}
            </EmptyState>
          )}
        </div>
      </div>
    </div>
  );
}

function BrowseRow({ room, busy, onJoin }: { room: BrowsedRoom; busy: boolean; onJoin: () => void }) {
  const { t } = useTranslation();
  return (
    <li className={styles.row}>
      <Hash className={styles.icon} aria-hidden="true" />
      <div className={styles.words}>
        <h2 className={styles.name}>
          <bdi>{room.name}</bdi>
        </h2>
        {room.topic && (
          <p className={styles.topic}>
            <bdi>{room.topic}</bdi>
          </p>
        )}
        <p className={styles.facts}>
          <span>{t("browse.members", { count: room.members })}</span>
          <span title={room.last_activity_at ? formatExact(room.last_activity_at) : undefined}>
            {room.last_activity_at
              ? t("browse.lastActivity", { when: formatRelative(room.last_activity_at) })
              : t("browse.noActivity")}
          </span>
        </p>
      </div>
      <Button
        kind={room.joined ? "secondary" : "primary"}
        busy={busy}
        aria-label={
          room.joined ? t("browse.openRoom", { room: room.name }) : t("browse.joinRoom", { room: room.name })
        }
        onClick={onJoin}
      >
        {room.joined ? t("browse.open") : t("browse.join")}
      </Button>
    </li>
  );
}
