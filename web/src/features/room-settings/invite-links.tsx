import { Copy, Link, Trash2 } from "lucide-react";
import { useCallback, useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatDateTime } from "../../i18n/format";
import { describeProblem } from "../../i18n/problem";
import type { Invite } from "../../protocol/http";
import type { RoomId } from "../../protocol/ids";
import { useSync } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { IconButton } from "../../ui/icon-button";
import { LoadFailure } from "../../ui/load-failure";
import { Select } from "../../ui/select";
import { SkeletonBar } from "../../ui/skeleton";
import { useLoaded } from "../../ui/use-loaded";
import { useToast } from "../../ui/toast";
import styles from "./room-settings.module.css";

const daySeconds = 86_400;
const lifetimes = {
  expires1d: daySeconds,
  expires7d: 7 * daySeconds,
  expires30d: 30 * daySeconds,
  expiresNever: null,
};
const uses = { uses1: 1, uses10: 10, usesAny: null };
type Lifetime = keyof typeof lifetimes;
type Uses = keyof typeof uses;

/** Links that let others in: made, copied and taken back here. */
export function InviteLinks({ roomId }: { roomId: RoomId }) {
  const { t } = useTranslation();
  const { api } = useSync();
  const toast = useToast();
  const { loaded, reload, update } = useLoaded(useCallback(() => api.listInvites(roomId), [api, roomId]));
  const [lifetime, setLifetime] = useState<Lifetime>("expires7d");
  const [often, setOften] = useState<Uses>("usesAny");
  const [busy, setBusy] = useState(false);

  const tell = (problem: unknown) => {
    toast({ message: describeProblem(problem, t) });
  };
  const copy = (invite: Invite) => {
    navigator.clipboard.writeText(invite.url).then(() => {
      toast({ message: t("roomSettings.inviteCopied") });
    }, tell);
  };

  async function make() {
    setBusy(true);
    try {
      const [seconds, max] = [lifetimes[lifetime], uses[often]];
      const invite = await api.createInvite(roomId, {
        ...(max === null ? {} : { max_uses: max }),
        ...(seconds === null ? {} : { expires_in_seconds: seconds }),
      });
      update((invites) => [invite, ...invites]);
      copy(invite);
    } catch (problem) {
      tell(problem);
    } finally {
      setBusy(false);
    }
  }

  async function revoke(invite: Invite) {
    try {
      await api.deleteInvite(roomId, invite.code);
      update((invites) => invites.filter(({ code }) => code !== invite.code));
      toast({ message: t("roomSettings.inviteRevoked") });
    } catch (problem) {
      tell(problem);
    }
  }

  return (
    <div className={styles.form}>
      <p className={styles.lead}>{t("roomSettings.invitesLead")}</p>
      <div className={styles.pair}>
        <Select
          label={t("roomSettings.inviteExpires")}
          value={lifetime}
          onChange={setLifetime}
          options={(Object.keys(lifetimes) as Lifetime[]).map((value) => ({
            value,
            label: t(`roomSettings.${value}`),
          }))}
        />
        <Select
          label={t("roomSettings.inviteUses")}
          value={often}
          onChange={setOften}
          options={(Object.keys(uses) as Uses[]).map((value) => ({
            value,
            label: t(`roomSettings.${value}`),
          }))}
        />
      </div>
      <Button icon={<Link />} busy={busy} onClick={() => void make()}>
        {t("roomSettings.makeInvite")}
      </Button>
      {loaded.status === "loading" && <SkeletonBar width="70%" />}
      {loaded.status === "failed" && <LoadFailure problem={loaded.problem} onRetry={reload} />}
      {loaded.status === "ready" && loaded.value.length === 0 && (
        <p className={styles.lead}>{t("roomSettings.invitesNone")}</p>
      )}
      {loaded.status === "ready" && loaded.value.length > 0 && (
        <ul className={styles.list}>
          {loaded.value.map((invite) => (
            <li key={invite.code} className={styles.entry}>
              <div className={styles.entryWords}>
                <span className={styles.url}>{invite.url.replace(/^https?:\/\//, "")}</span>
                <InviteFacts invite={invite} />
              </div>
              <IconButton
                size="small"
                label={t("roomSettings.inviteCopy")}
                icon={<Copy />}
                onClick={() => copy(invite)}
              />
              <IconButton
                size="small"
                label={t("roomSettings.inviteRevokeLabel", { url: invite.url })}
                icon={<Trash2 />}
                onClick={() => void revoke(invite)}
              />
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function InviteFacts({ invite }: { invite: Invite }) {
  const { t } = useTranslation();
  const facts = [
    invite.max_uses === null
      ? t("roomSettings.inviteUsed", { count: invite.uses })
      : t("roomSettings.inviteUsedOf", { uses: invite.uses, max: invite.max_uses }),
    invite.expires_at === null
      ? t("roomSettings.inviteForever")
      : t("roomSettings.inviteUntil", { when: formatDateTime(invite.expires_at) }),
    invite.created_by && t("roomSettings.inviteBy", { name: invite.created_by.display_name }),
  ];
  return <span className={styles.lead}>{facts.filter(Boolean).join(" · ")}</span>;
}
