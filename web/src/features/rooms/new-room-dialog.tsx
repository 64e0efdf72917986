import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem } from "../../i18n/problem";
import type { RoomId } from "../../protocol/ids";
import { useMoodOffered, useSync } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { Choice } from "../../ui/choice";
import { Dialog, DialogActions } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { InlineError } from "../../ui/inline-error";
import styles from "./rooms.module.css";
import { runeCount } from "../../ui/rune-count";

const nameCharsMax = 80;
const topicCharsMax = 250;

/** Asks for a name, a topic and who may join; the room is open when it is made. */
export default function NewRoomDialog({
  onClose,
  onMade,
}: {
  onClose: () => void;
  onMade: (roomId: RoomId) => void;
}) {
  const { t } = useTranslation();
  const { api } = useSync();
  const moods = useMoodOffered();
  const [name, setName] = useState("");
  const [topic, setTopic] = useState("");
  const [visibility, setVisibility] = useState<"public" | "private">("public");
  const [checked, setChecked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();

  const nameError =
    name.trim() === ""
      ? t("newRoom.nameMissing")
      : runeCount(name.trim()) > nameCharsMax
        ? t("newRoom.nameLong")
        : undefined;
  const topicError = runeCount(topic.trim()) > topicCharsMax ? t("newRoom.topicLong") : undefined;

  async function make() {
    setChecked(true);
    if (nameError || topicError) return;
    setBusy(true);
    setFailure(undefined);
    try {
      const room = await api.createRoom({
        name: name.trim(),
        visibility,
        ...(topic.trim() === "" ? {} : { topic: topic.trim() }),
      });
      onMade(room.id);
    } catch (problem) {
      setFailure(describeProblem(problem, t));
      setBusy(false);
    }
  }

  return (
    <Dialog
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("newRoom.title")}
    >
      <form
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!busy) void make();
        }}
      >
        <InlineError message={failure} />
        <Field
          autoFocus
          label={t("newRoom.name")}
          placeholder={t("newRoom.namePlaceholder")}
          autoComplete="off"
          value={name}
          error={checked ? nameError : undefined}
          onChange={(event) => {
            setName(event.target.value);
          }}
        />
        <Field
          label={t("newRoom.topic")}
          optionalLabel={t("common.optional")}
          placeholder={t("newRoom.topicPlaceholder")}
          autoComplete="off"
          value={topic}
          error={checked ? topicError : undefined}
          onChange={(event) => {
            setTopic(event.target.value);
          }}
        />
        <Choice
          legend={t("newRoom.visibility")}
          value={visibility}
          onChange={setVisibility}
          options={[
            {
              value: "public",
              label: t("newRoom.public"),
              hint: moods ? `${t("newRoom.publicHint")} ${t("newRoom.publicMood")}` : t("newRoom.publicHint"),
            },
            { value: "private", label: t("newRoom.private"), hint: t("newRoom.privateHint") },
          ]}
        />
        <DialogActions>
          <Button onClick={onClose}>{t("common.cancel")}</Button>
          <Button kind="primary" type="submit" busy={busy}>
            {t("newRoom.create")}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}
