import { useTranslation } from "../../i18n/use-translation";
import { useConfig, useSession } from "../../sync/hooks";
import { CardPage } from "../../ui/card-page";
import { Link } from "../../ui/navigation";
import { paths } from "../../ui/paths";
import { AccountForm } from "./account-form";
import styles from "./account.module.css";

/** Signing in, or making an account; `next` is where it leads afterwards. */
export function AccountPage({ mode, next }: { mode: "signin" | "signup"; next: string | null }) {
  const { t } = useTranslation();
  const config = useConfig();
  const session = useSession();
  const auth = config.status === "ready" ? config.config.auth : null;
  const closed = auth?.signup === false;
  const signUp = mode === "signup" && !closed;
  const ended = session.status === "signed-out" && session.reason === "ended";
  return (
    <CardPage>
      <div>
        <h1 className={styles.title}>{signUp ? t("account.signUpTitle") : t("account.signInTitle")}</h1>
        <p className={styles.lead}>
          {ended && !signUp
            ? t("account.sessionEnded")
            : signUp
              ? t("account.signUpLead")
              : t("account.signInLead")}
        </p>
      </div>
      <AccountForm key={mode} signUp={signUp} />
      <p className={styles.other}>
        {signUp ? (
          <>
            {t("account.toSignIn")} <Link href={paths.signIn(next)}>{t("account.toSignInLink")}</Link>
          </>
        ) : closed ? (
          t("account.signupClosed")
        ) : (
          <>
            {t("account.toSignUp")} <Link href={paths.signUp(next)}>{t("account.toSignUpLink")}</Link>
          </>
        )}
      </p>
    </CardPage>
  );
}
