import { useTranslation } from "../../i18n/use-translation";
import { useConfig, useSession } from "../../sync/hooks";
import { CardPage } from "../../ui/card-page";
import { Link, usePlace } from "../../ui/navigation";
import { paths } from "../../ui/paths";
import { AccountForm } from "./account-form";
import { EmailForm } from "./email-form";
import styles from "./account.module.css";

/** Signing in, or making an account; `next` is where it leads afterwards. */
export function AccountPage({ mode, next }: { mode: "signin" | "signup"; next: string | null }) {
  const { t } = useTranslation();
  const config = useConfig();
  const session = useSession();
  const { search } = usePlace();
  const auth = config.status === "ready" ? config.config.auth : null;
  const closed = auth?.signup === false;
  const signUp = mode === "signup" && !closed;
  const ended = session.status === "signed-out" && session.reason === "ended";
  const byEmail = auth?.provider === "supabase";
  // Where the link in a confirmation mail leads: with a code if it was good, with an error if it was not.
  const confirmed = byEmail && search.has("code");
  const badLink = byEmail && search.has("error_code");
  return (
    <CardPage>
      <div>
        <h1 className={styles.title}>{signUp ? t("account.signUpTitle") : t("account.signInTitle")}</h1>
        <p className={styles.lead}>
          {signUp
            ? t(byEmail ? "account.signUpByEmailLead" : "account.signUpLead")
            : t(
                confirmed
                  ? "account.emailConfirmed"
                  : badLink
                    ? "account.emailLinkBad"
                    : ended
                      ? "account.sessionEnded"
                      : "account.signInLead",
              )}
        </p>
      </div>
      {byEmail ? <EmailForm key={mode} signUp={signUp} /> : <AccountForm key={mode} signUp={signUp} />}
      <p className={styles.other}>
        {signUp ? (
          <>
            {t("account.toSignIn")} <Link href={paths.signIn(next)}>{t("account.toSignInLink")}</Link>
          </>
        ) : closed ? (
          t(byEmail ? "account.signupClosedByEmail" : "account.signupClosed")
        ) : (
          <>
            {t("account.toSignUp")} <Link href={paths.signUp(next)}>{t("account.toSignUpLink")}</Link>
          </>
        )}
      </p>
    </CardPage>
  );
}
