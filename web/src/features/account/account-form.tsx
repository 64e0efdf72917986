import { Eye, EyeOff } from "lucide-react";
import { useRef, useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { Translate } from "../../i18n/i18n";
import { describeProblem, isProblem } from "../../i18n/problem";
import { useSync } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { IconButton } from "../../ui/icon-button";
import { InlineError } from "../../ui/inline-error";
import styles from "./account.module.css";
import { runeCount } from "../../ui/rune-count";

const usernamePattern = /^[a-z0-9][a-z0-9_.-]{1,31}$/;
const passwordCharsMin = 8;
const passwordCharsMax = 256;
const displayNameCharsMax = 64;

interface Errors {
  username?: string;
  displayName?: string;
  password?: string;
  form?: string;
}

interface Account {
  username: string;
  displayName: string;
  password: string;
}

/** What is wrong with a form before anybody is asked. Signing in accepts what older rules may have allowed. */
function check(account: Account, signUp: boolean, t: Translate): Errors {
  const errors: Errors = {};
  if (account.username === "") errors.username = t("account.errors.usernameMissing");
  else if (signUp && !usernamePattern.test(account.username))
    errors.username = t("account.errors.usernameInvalid");
  if (account.password === "") errors.password = t("account.errors.passwordMissing");
  else if (signUp && account.password.length < passwordCharsMin)
    errors.password = t("account.errors.passwordShort");
  else if (account.password.length > passwordCharsMax) errors.password = t("account.errors.passwordLong");
  if (signUp && runeCount(account.displayName) > displayNameCharsMax) {
    errors.displayName = t("account.errors.displayNameLong");
  }
  return errors;
}

/** What the server said, beside the field that it is about. */
function errorsOf(problem: unknown, signUp: boolean, t: Translate): Errors {
  if (isProblem(problem, "username_taken")) return { username: t("account.errors.usernameTaken") };
  if (!signUp && isProblem(problem, "unauthenticated", "forbidden")) {
    return { password: t("account.errors.wrongPassword") };
  }
  if (signUp && isProblem(problem, "forbidden")) return { form: t("account.errors.serverFull") };
  if (isProblem(problem, "invalid") && problem instanceof Error && "errors" in problem) {
    const fields = (problem.errors as { field: string }[]).map(({ field }) => field);
    const errors: Errors = {};
    if (fields.includes("username")) errors.username = t("account.errors.usernameInvalid");
    if (fields.includes("password")) errors.password = t("account.errors.passwordShort");
    if (fields.includes("display_name")) errors.displayName = t("account.errors.displayNameLong");
    if (Object.keys(errors).length > 0) return errors;
  }
  return { form: describeProblem(problem, t) };
}

/** Name and password, and for newcomers the name to show. */
export function AccountForm({ signUp }: { signUp: boolean }) {
  const { t } = useTranslation();
  const { session } = useSync();
  const [account, setAccount] = useState<Account>({ username: "", displayName: "", password: "" });
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const [visible, setVisible] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  function change(part: Partial<Account>, field: keyof Errors) {
    setAccount({ ...account, ...part });
    setErrors(({ [field]: _fixed, form: _old, ...others }) => others);
  }

  function show(found: Errors) {
    setErrors(found);
    const first = found.username
      ? "username"
      : found.displayName
        ? "display-name"
        : found.password
          ? "password"
          : null;
    if (first) form.current?.querySelector<HTMLInputElement>(`[name="${first}"]`)?.focus();
  }

  async function submit() {
    const found = check(account, signUp, t);
    if (Object.keys(found).length > 0) {
      show(found);
      return;
    }
    setBusy(true);
    try {
      if (signUp) {
        const displayName = account.displayName.trim();
        await session.signUp({
          username: account.username,
          password: account.password,
          ...(displayName === "" ? {} : { display_name: displayName }),
        });
      } else {
        await session.signIn(account.username, account.password);
      }
    } catch (problem) {
      show(errorsOf(problem, signUp, t));
    } finally {
      setBusy(false);
    }
  }

  return (
    <form
      ref={form}
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!busy) void submit();
      }}
    >
      <InlineError message={errors.form} />
      <Field
        autoFocus
        name="username"
        label={t("account.username")}
        autoComplete="username"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        value={account.username}
        error={errors.username}
        hint={
          signUp && t("account.usernameHint", { example: account.username || t("account.usernameExample") })
        }
        onChange={(event) => {
          change({ username: event.target.value.trim().toLowerCase() }, "username");
        }}
      />
      {signUp && (
        <Field
          name="display-name"
          label={t("account.displayName")}
          optionalLabel={t("common.optional")}
          autoComplete="name"
          value={account.displayName}
          error={errors.displayName}
          onChange={(event) => {
            change({ displayName: event.target.value }, "displayName");
          }}
        />
      )}
      <Field
        name="password"
        type={visible ? "text" : "password"}
        label={t("account.password")}
        autoComplete={signUp ? "new-password" : "current-password"}
        value={account.password}
        error={errors.password}
        hint={signUp && t("account.passwordHint")}
        suffix={
          <IconButton
            label={visible ? t("common.hidePassword") : t("common.showPassword")}
            icon={visible ? <EyeOff /> : <Eye />}
            onClick={() => {
              setVisible(!visible);
            }}
          />
        }
        onChange={(event) => {
          change({ password: event.target.value }, "password");
        }}
      />
      <Button kind="primary" type="submit" wide busy={busy}>
        {signUp ? t("account.signUp") : t("account.signIn")}
      </Button>
    </form>
  );
}
