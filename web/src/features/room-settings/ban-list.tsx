import { useCallback } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatExact, formatRelative } from "../../i18n/format";
import { describeProblem } from "../../i18n/problem";
import type { Ban } from "../../protocol/http";
import type { RoomId } from "../../protocol/ids";
import { useSync } from "../../sync/hooks";
import { Avatar } from "../../ui/avatar";
import { Button } from "../../ui/button";
import { LoadFailure } from "../../ui/load-failure";
import { SkeletonBar } from "../../ui/skeleton";
import { useLoaded } from "../../ui/use-loaded";
import { useToast } from "../../ui/toast";
import styles from "./room-settings.module.css";

/** Who may not come back, and letting them. */
export function BanList({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation();
  const { api } = useSync();
  const toast = useToast();
  const { loaded, reload, update } = useLoaded(useCallback(() => api.listBans(roomId), [api, roomId]));

  async function lift(ban: Ban) {
    try {
      await api.unban(roomId, ban.user.id);
      update((bans) => bans.filter(({ user }) => user.id !== ban.user.id));
    } catch (problem) {
      toast({ message: describeProblem(problem, t) });
    }
  }

  if (loaded.status === "loading") return <SkeletonBar width="60%" />;
  if (loaded.status === "failed") return <LoadFailure problem={loaded.problem} onRetry={reload} />;
  if (loaded.value.length === 0) return <p className={styles.lead}>{t("roomSettings.bansNone")}</p>;
  return (
    <ul className={styles.list}>
      {loaded.value.map((ban) => (
        <li key={ban.user.id} className={styles.entry}>
          <Avatar id={ban.user.id} name={ban.user.display_name} picture={ban.user.avatar_url} size={32} />
          <div className={styles.entryWords}>
            <bdi className={styles.entryName}>{ban.user.display_name}</bdi>
            <span className={styles.lead} title={formatExact(ban.banned_at)}>
              {t("roomSettings.bannedBy", {
                name: ban.by?.display_name ?? t("common.unknownPerson"),
                when: formatRelative(ban.banned_at),
              })}
            </span>
            {ban.reason && <span className={styles.lead}>{ban.reason}</span>}
          </div>
          <Button
            kind="quiet"
            aria-label={t("roomSettings.liftLabel", { name: ban.user.display_name })}
            onClick={() => void lift(ban)}
          >
            {t("roomSettings.lift")}
          </Button>
        </li>
      ))}
    </ul>
  );
}
