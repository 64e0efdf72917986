import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { useConfig, useSession } from "../../sync/hooks";
import { CardPage } from "../../ui/card-page";
import { AccountForm } from "./account-form";
import styles from "./account.module.css";

/** Signing in, or making an account; `next` is where it leads afterwards. */
export function AccountPage({ mode, next }: { mode: "signin" | "signup"; next: string | undefined }) {
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
            {t("account.toSignIn")}{" "}
            <Link to="/signin" search={{ next }}>
              {t("account.toSignInLink")}
            </Link>
          </>
        ) : closed ? (
          t("account.signupClosed")
        ) : (
          <>
            {t("account.toSignUp")}{" "}
            <Link to="/signup" search={{ next }}>
              {t("account.toSignUpLink")}
            </Link>
          </>
        )}
      </p>
    </CardPage>
  );
}
