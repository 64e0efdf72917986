import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem } from "../../i18n/problem";
import { useSync } from "../../sync/hooks";
import type { RoomView } from "../../sync/views";
import { Button } from "../../ui/button";
import { Choice } from "../../ui/choice";
import { Field } from "../../ui/field";
import { InlineError } from "../../ui/inline-error";
import { useToast } from "../../ui/toast";
import { runeCount } from "../../ui/rune-count";
import styles from "./room-settings.module.css";

const nameCharsMax = 80;
const topicCharsMax = 250;

/** Name, topic and who may join, for those who may change them. */
export function AboutForm({ room }: { room: RoomView }) {
  const { t } = useTranslation();
  const { api } = useSync();
  const toast = useToast();
  // Only what was touched is held here; the rest follows the room, also when somebody else changes it meanwhile.
  const [changed, setChanged] = useState<{
    name?: string;
    topic?: string;
    visibility?: "public" | "private";
  }>({});
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const name = changed.name ?? room.name;
  const topic = changed.topic ?? room.topic;
  const visibility = changed.visibility ?? (room.visibility === "private" ? "private" : "public");

  const nameError =
    name.trim() === ""
      ? t("newRoom.nameMissing")
      : runeCount(name.trim()) > nameCharsMax
        ? t("newRoom.nameLong")
        : undefined;
  const topicError = runeCount(topic.trim()) > topicCharsMax ? t("newRoom.topicLong") : undefined;
  const dirty = name.trim() !== room.name || topic.trim() !== room.topic || visibility !== room.visibility;

  async function save() {
    if (nameError || topicError) return;
    setBusy(true);
    setFailure(undefined);
    try {
      await api.changeRoom(room.id, { name: name.trim(), topic: topic.trim(), visibility });
      setChanged({});
      toast({ message: t("common.saved") });
    } catch (problem) {
      setFailure(describeProblem(problem, t));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void save();
      }}
    >
      <InlineError message={failure} />
      <Field
        label={t("roomSettings.name")}
        value={name}
        error={nameError}
        onChange={(event) => {
          setChanged({ ...changed, name: event.target.value });
        }}
      />
      <Field
        label={t("roomSettings.topic")}
        value={topic}
        error={topicError}
        placeholder={t("newRoom.topicPlaceholder")}
        onChange={(event) => {
          setChanged({ ...changed, topic: event.target.value });
        }}
      />
      <Choice
        legend={t("roomSettings.visibility")}
        value={visibility}
        onChange={(value) => {
          setChanged({ ...changed, visibility: value });
        }}
        options={[
          { value: "public", label: t("newRoom.public"), hint: t("newRoom.publicHint") },
          { value: "private", label: t("newRoom.private"), hint: t("newRoom.privateHint") },
        ]}
      />
      {dirty && (
        <Button kind="primary" type="submit" busy={busy}>
          {t("common.save")}
        </Button>
      )}
    </form>
  );
}
