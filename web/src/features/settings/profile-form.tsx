import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem } from "../../i18n/problem";
import type { Me } from "../../protocol/model";
import { useSync } from "../../sync/hooks";
import { Avatar } from "../../ui/avatar";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { InlineError } from "../../ui/inline-error";
import { useToast } from "../../ui/toast";
import { runeCount } from "../../ui/rune-count";
import styles from "./settings.module.css";

const nameCharsMax = 64;
const statusCharsMax = 100;

/** How others see me. */
export function ProfileForm({ me }: { me: Me }) {
  const { t } = useTranslation();
  const { session } = useSync();
  const toast = useToast();
  const [changed, setChanged] = useState<{ name?: string; status?: string }>({});
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();
  const name = changed.name ?? me.display_name;
  const status = changed.status ?? me.status;
  const nameError =
    name.trim() === ""
      ? t("settings.nameMissing")
      : runeCount(name.trim()) > nameCharsMax
        ? t("account.errors.displayNameLong")
        : undefined;
  const statusError = runeCount(status.trim()) > statusCharsMax ? t("settings.statusLong") : undefined;
  const dirty = name.trim() !== me.display_name || status.trim() !== me.status;

  async function save() {
    if (nameError || statusError) return;
    setBusy(true);
    setFailure(undefined);
    try {
      await session.changeMe({ display_name: name.trim(), status: status.trim() });
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
      <div className={styles.person}>
        <Avatar id={me.id} name={name} picture={me.avatar_url} size={64} />
        <div>
          <bdi className={styles.personName}>{name}</bdi>
          <p className={styles.muted}>@{me.username}</p>
        </div>
      </div>
      <InlineError message={failure} />
      <Field
        label={t("settings.displayName")}
        autoComplete="name"
        value={name}
        error={nameError}
        onChange={(event) => {
          setChanged({ ...changed, name: event.target.value });
        }}
      />
      <Field
        label={t("settings.status")}
        placeholder={t("settings.statusPlaceholder")}
        autoComplete="off"
        value={status}
        error={statusError}
        onChange={(event) => {
          setChanged({ ...changed, status: event.target.value });
        }}
      />
      <div>
        <Button kind="primary" type="submit" busy={busy} disabled={!dirty}>
          {t("common.save")}
        </Button>
      </div>
    </form>
  );
}
