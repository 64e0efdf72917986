import { Eye, EyeOff } from "lucide-react";
import { useRef, useState } from "react";
import type { Translate } from "../../i18n/i18n";
import { describeProblem, isProblem } from "../../i18n/problem";
import { useTranslation } from "../../i18n/use-translation";
import { useSync } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { IconButton } from "../../ui/icon-button";
import { InlineError } from "../../ui/inline-error";
import styles from "./account.module.css";

const usernamePattern = /^[a-z0-9][a-z0-9_.-]{1,31}$/;
/** Whether it can be one; whether it is one only a mail can tell. */
const emailPattern = /^[^\s@]+@[^\s@]+$/;
const passwordCharsMin = 8;

interface Account {
  email: string;
  username: string;
  password: string;
}

type Errors = Partial<Record<keyof Account | "form", string>>;

/** What is wrong with a form before anybody is asked. Signing in accepts what older rules may have allowed. */
function check(account: Account, signUp: boolean, t: Translate): Errors {
  const errors: Errors = {};
  if (account.email === "") errors.email = t("account.errors.emailMissing");
  else if (!emailPattern.test(account.email)) errors.email = t("account.errors.emailInvalid");
  if (signUp && account.username === "") errors.username = t("account.errors.usernameMissing");
  else if (signUp && !usernamePattern.test(account.username)) {
    errors.username = t("account.errors.usernameInvalid");
  }
  if (account.password === "") errors.password = t("account.errors.passwordMissing");
  else if (signUp && account.password.length < passwordCharsMin) {
    errors.password = t("account.errors.passwordShort");
  }
  return errors;
}

/** What the sign-in service or this server said, beside the field that it is about. */
function errorsOf(problem: unknown, signUp: boolean, t: Translate): Errors {
  if (isProblem(problem, "invalid") && problem instanceof Error && "errors" in problem) {
    const [first] = problem.errors as { field: string; message: string }[];
    if (first?.field === "password") return { password: t("account.errors.passwordWeak") };
    if (first?.field === "email") {
      switch (first.message) {
        case "taken":
          return { email: t("account.errors.emailTaken") };
        case "unconfirmed":
          return { email: t("account.errors.emailUnconfirmed") };
        default:
          return { email: t("account.errors.emailInvalid") };
      }
    }
  }
  if (!signUp && isProblem(problem, "unauthenticated")) {
    return { password: t("account.errors.wrongEmailPassword") };
  }
  if (isProblem(problem, "forbidden")) {
    return { form: t(signUp ? "account.errors.serverFull" : "account.errors.notLetIn") };
  }
  return { form: describeProblem(problem, t) };
}

/** E-mail address and password, for people whom another service signs in; newcomers also choose their username here. */
export function EmailForm({ signUp }: { signUp: boolean }) {
  const { t } = useTranslation();
  const { session } = useSync();
  const [account, setAccount] = useState<Account>({ email: "", username: "", password: "" });
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const [visible, setVisible] = useState(false);
  const [confirming, setConfirming] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  function change(field: keyof Account, value: string) {
    setAccount({ ...account, [field]: value });
    setErrors(({ [field]: _fixed, form: _old, ...others }) => others);
  }

  function show(found: Errors) {
    setErrors(found);
    const first = (["email", "username", "password"] as const).find((field) => found[field] !== undefined);
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
      if (signUp) setConfirming((await session.signUp(account)) === "confirm-email");
      else await session.signIn(account.email, account.password);
    } catch (problem) {
      show(errorsOf(problem, signUp, t));
    } finally {
      setBusy(false);
    }
  }

  if (confirming) {
    return (
      <div role="status">
        <h2>{t("account.confirmTitle")}</h2>
        <p className={styles.lead}>{t("account.confirmLead", { email: account.email })}</p>
      </div>
    );
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
        name="email"
        type="email"
        label={t("account.email")}
        autoComplete={signUp ? "email" : "username"}
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        value={account.email}
        error={errors.email}
        onChange={(event) => {
          change("email", event.target.value.trim());
        }}
      />
      {signUp && (
        <Field
          name="username"
          label={t("account.username")}
          autoComplete="nickname"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          value={account.username}
          error={errors.username}
          hint={t("account.usernameHint", { example: account.username || t("account.usernameExample") })}
          onChange={(event) => {
            change("username", event.target.value.trim().toLowerCase());
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
          change("password", event.target.value);
        }}
      />
      <Button kind="primary" type="submit" wide busy={busy}>
        {signUp ? t("account.signUp") : t("account.signIn")}
      </Button>
    </form>
  );
}
