import { Users } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import { formatNumber } from "../../i18n/format";
import { describeProblem } from "../../i18n/problem";
import type { Notify } from "../../protocol/model";
import { useCompleteness, useMoodOffered, useSync } from "../../sync/hooks";
import type { RoomView } from "../../sync/views";
import { Button } from "../../ui/button";
import { Choice } from "../../ui/choice";
import { Panel } from "../../ui/panel";
import { useToast } from "../../ui/toast";
import { AboutForm } from "./about-form";
import { BanList } from "./ban-list";
import { DangerZone } from "./danger-zone";
import { InviteLinks } from "./invite-links";
import { MoodSwitch } from "./mood-switch";
import styles from "./room-settings.module.css";

/** Everything about a room that is not its messages. */
export default function RoomSettingsPanel({
  room,
  onClose,
  onShowMembers,
  onLeave,
  onGone,
}: {
  room: RoomView;
  onClose: () => void;
  onShowMembers: () => void;
  /** Asks whether to leave. */
  onLeave: () => void;
  /** The room was deleted. */
  onGone: () => void;
}) {
  const { t } = useTranslation();
  const { read } = useSync();
  const toast = useToast();
  const moods = useMoodOffered() && room.visibility !== "direct";
  const moderates = room.role !== "member";

  function setNotify(notify: Notify) {
    read.setNotify(room.id, notify).catch((problem: unknown) => {
      toast({ message: describeProblem(problem, t) });
    });
  }

  return (
    <Panel title={t("roomSettings.title")} onClose={onClose}>
      <div className={styles.sections}>
        <section aria-labelledby="settings-about">
          <h3 className={styles.heading} id="settings-about">
            {t("roomSettings.about")}
          </h3>
          {moderates ? <AboutForm key={room.id} room={room} /> : <AboutWords room={room} />}
        </section>
        <section>
          <Choice
            legend={t("roomSettings.notifications")}
            value={room.notify}
            onChange={setNotify}
            options={[
              { value: "all", label: t("roomSettings.notifyAll") },
              { value: "mentions", label: t("roomSettings.notifyMentions") },
              { value: "none", label: t("roomSettings.notifyNone") },
            ]}
          />
        </section>
        {moods && (
          <section aria-labelledby="settings-mood">
            <h3 className={styles.heading} id="settings-mood">
              {t("roomSettings.mood")}
            </h3>
            <MoodSwitch room={room} />
          </section>
        )}
        <section aria-labelledby="settings-invites">
          <h3 className={styles.heading} id="settings-invites">
            {t("roomSettings.invites")}
          </h3>
          <InviteLinks roomId={room.id} />
        </section>
        <section aria-labelledby="settings-people">
          <h3 className={styles.heading} id="settings-people">
            {t("roomSettings.people")}
          </h3>
          {moderates && <p className={styles.lead}>{t("roomSettings.peopleLead")}</p>}
          <Button icon={<Users />} onClick={onShowMembers}>
            {t("roomSettings.openMembers")}
          </Button>
        </section>
        {moderates && (
          <section aria-labelledby="settings-bans">
            <h3 className={styles.heading} id="settings-bans">
              {t("roomSettings.bans")}
            </h3>
            <BanList roomId={room.id} />
          </section>
        )}
        <section aria-labelledby="settings-complete">
          <h3 className={styles.heading} id="settings-complete">
            {t("roomSettings.complete")}
          </h3>
          <CompletenessWords room={room} />
        </section>
        <section aria-labelledby="settings-danger">
          <h3 className={styles.heading} id="settings-danger">
            {t("roomSettings.danger")}
          </h3>
          <DangerZone room={room} onLeave={onLeave} onGone={onGone} />
        </section>
      </div>
    </Panel>
  );
}

function AboutWords({ room }: { room: RoomView }) {
  const { t } = useTranslation();
  return (
    <>
      <p className={styles.name}>
        <bdi>{room.name}</bdi>
      </p>
      {room.topic && <p>{room.topic}</p>}
      <p className={styles.lead}>{t("roomSettings.readOnly")}</p>
    </>
  );
}

/** What of the room this device holds: numbers that anybody can check. */
function CompletenessWords({ room }: { room: RoomView }) {
  const { t } = useTranslation();
  const { upTo, head, from, holes } = useCompleteness(room.id);
  const behind = head - upTo;
  return (
    <div className={styles.complete}>
      <p>
        {from <= 1
          ? t("roomSettings.completeUpTo", { seq: formatNumber(upTo) })
          : t("roomSettings.completePart", { from: formatNumber(from), seq: formatNumber(upTo) })}
      </p>
      {behind > 0 && <p>{t("roomSettings.completeBehind", { count: behind })}</p>}
      {holes > 0 && <p>{t("roomSettings.completeHoles", { count: holes })}</p>}
      <p>
        {t("roomSettings.unreadWhy", { read: formatNumber(room.readSeq), head: formatNumber(room.head) })}
      </p>
    </div>
  );
}
