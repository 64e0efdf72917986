import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem, isProblem } from "../../i18n/problem";
import { useSync } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { InlineError } from "../../ui/inline-error";
import { useToast } from "../../ui/toast";
import styles from "./settings.module.css";

const passwordCharsMin = 8;
const passwordCharsMax = 256;

interface Errors {
  current?: string;
  next?: string;
  form?: string;
}

/** Changes the password; everywhere else the person is signed out. */
export function PasswordForm({ username }: { username: string }) {
  const { t } = useTranslation();
  const { session } = useSync();
  const toast = useToast();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);

  async function change() {
    const found: Errors = {};
    if (current === "") found.current = t("account.errors.passwordMissing");
    if (next.length < passwordCharsMin) found.next = t("account.errors.passwordShort");
    if (next.length > passwordCharsMax) found.next = t("account.errors.passwordLong");
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    try {
      await session.changePassword(current, next);
      setCurrent("");
      setNext("");
      toast({ message: t("settings.passwordChanged") });
    } catch (problem) {
      setErrors(
        isProblem(problem, "unauthenticated", "forbidden")
          ? { current: t("settings.passwordWrong") }
          : { form: describeProblem(problem, t) },
      );
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
        if (!busy) void change();
      }}
    >
      <InlineError message={errors.form} />
      {/* Password managers look for it. */}
      <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />
      <Field
        type="password"
        label={t("settings.currentPassword")}
        autoComplete="current-password"
        value={current}
        error={errors.current}
        onChange={(event) => {
          setCurrent(event.target.value);
        }}
      />
      <Field
        type="password"
        label={t("settings.newPassword")}
        autoComplete="new-password"
        value={next}
        error={errors.next}
        hint={t("account.passwordHint")}
        onChange={(event) => {
          setNext(event.target.value);
        }}
      />
      <div>
        <Button type="submit" busy={busy}>
          {t("settings.changePassword")}
        </Button>
      </div>
    </form>
  );
}
