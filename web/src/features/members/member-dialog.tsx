import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem } from "../../i18n/problem";
import type { Member } from "../../protocol/model";
import { useSync } from "../../sync/hooks";
import type { RoomView } from "../../sync/views";
import { Choice } from "../../ui/choice";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { Field } from "../../ui/field";
import styles from "./members.module.css";

/** What is about to be done to a member. */
export interface MemberTask {
  kind: "owner" | "mute" | "remove" | "ban";
  member: Member;
}

const hourMs = 3_600_000;
const muteLengthsMs = {
  mute1h: hourMs,
  mute1d: 24 * hourMs,
  mute7d: 7 * 24 * hourMs,
  muteForever: 100 * 365 * 24 * hourMs,
};
type MuteLength = keyof typeof muteLengthsMs;
const muteLengths = Object.keys(muteLengthsMs) as MuteLength[];

/** Asks before something is done to a member that they will notice. */
export function MemberDialog({
  task,
  room,
  onClose,
}: {
  task: MemberTask | null;
  room: RoomView;
  onClose: () => void;
}) {
  return (
    task && (
      <OpenDialog key={`${task.kind} ${task.member.user.id}`} task={task} room={room} onClose={onClose} />
    )
  );
}

function OpenDialog({ task, room, onClose }: { task: MemberTask; room: RoomView; onClose: () => void }) {
  const { t } = useTranslation();
  const { api } = useSync();
  const [length, setLength] = useState<MuteLength>("mute1h");
  const [reason, setReason] = useState("");
  const { user } = task.member;
  const name = user.display_name;

  const words = {
    owner: {
      title: t("members.ownerTitle", { name }),
      lead: t("members.ownerLead"),
      action: t("members.makeOwner"),
    },
    mute: {
      title: t("members.muteTitle", { name }),
      lead: t("members.muteLead"),
      action: t("members.muteAction"),
    },
    remove: {
      title: t("members.removeTitle", { name }),
      lead: room.visibility === "public" ? t("members.removeLeadPublic") : t("members.removeLeadPrivate"),
      action: t("members.remove"),
    },
    ban: {
      title: t("members.banTitle", { name }),
      lead: t("members.banLead"),
      action: t("members.banAction"),
    },
  }[task.kind];

  async function run() {
    switch (task.kind) {
      case "owner":
        return api.changeMember(room.id, user.id, { role: "owner" });
      case "mute":
        return api.changeMember(room.id, user.id, {
          muted_until: new Date(Date.now() + muteLengthsMs[length]).toISOString(),
        });
      case "remove":
        return api.removeMember(room.id, user.id);
      case "ban":
        await api.ban(room.id, {
          user_id: user.id,
          ...(reason.trim() === "" ? {} : { reason: reason.trim() }),
        });
    }
  }

  return (
    <ConfirmDialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={words.title}
      description={words.lead}
      action={words.action}
      danger={task.kind !== "owner"}
      onConfirm={run}
      describeError={(error) => describeProblem(error, t)}
    >
      {task.kind === "mute" && (
        <Choice
          legend={t("members.muteFor")}
          value={length}
          onChange={setLength}
          options={muteLengths.map((value) => ({ value, label: t(`members.${value}`) }))}
        />
      )}
      {task.kind === "ban" && (
        <Field
          className={styles.reason}
          label={t("members.banReason")}
          optionalLabel={t("common.optional")}
          maxLength={250}
          value={reason}
          onChange={(event) => {
            setReason(event.target.value);
          }}
        />
      )}
    </ConfirmDialog>
  );
}
