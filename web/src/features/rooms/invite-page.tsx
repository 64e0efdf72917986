import { useCallback, useEffect, useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem, isProblem } from "../../i18n/problem";
import type { InvitePreview } from "../../protocol/http";
import type { RoomId } from "../../protocol/ids";
import { useConfig, useSync } from "../../sync/hooks";
import { Avatar } from "../../ui/avatar";
import { Button, buttonClass } from "../../ui/button";
import { CardPage } from "../../ui/card-page";
import { InlineError } from "../../ui/inline-error";
import { Link } from "../../ui/navigation";
import { paths } from "../../ui/paths";
import { SkeletonRows } from "../../ui/skeleton";
import styles from "./rooms.module.css";

/** Remembers, until the person is signed in, which invite they want to accept. */
const joinKey = "blabber-hive:join-after-sign-in";

type Preview =
  | { status: "loading" }
  | { status: "found"; invite: InvitePreview }
  | { status: "gone" }
  | { status: "failed"; message: string };

/** What an invite link leads to: the room, who invites, and one button. */
export default function InvitePage({
  code,
  signedIn,
  onJoined,
}: {
  code: string;
  signedIn: boolean;
  onJoined: (roomId: RoomId) => void;
}) {
  const { t } = useTranslation();
  const { api } = useSync();
  const config = useConfig();
  const [preview, setPreview] = useState<Preview>({ status: "loading" });
  const [attempt, setAttempt] = useState(0);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string>();

  useEffect(() => {
    let wanted = true;
    api.previewInvite(code).then(
      (invite) => {
        if (wanted) setPreview({ status: "found", invite });
      },
      (problem: unknown) => {
        if (!wanted) return;
        setPreview(
          isProblem(problem, "not_found")
            ? { status: "gone" }
            : { status: "failed", message: describeProblem(problem, t) },
        );
      },
    );
    return () => {
      wanted = false;
    };
  }, [api, code, attempt, t]);

  const join = useCallback(async () => {
    setBusy(true);
    setFailure(undefined);
    try {
      onJoined((await api.acceptInvite(code)).id);
    } catch (problem) {
      setBusy(false);
      if (isProblem(problem, "not_found")) setPreview({ status: "gone" });
      else setFailure(isProblem(problem, "banned") ? t("invite.bannedLead") : describeProblem(problem, t));
    }
  }, [api, code, onJoined, t]);

  // Who chose "create an account and join" has said so already: one click, not two.
  useEffect(() => {
    if (!signedIn || sessionStorage.getItem(joinKey) !== code) return;
    sessionStorage.removeItem(joinKey);
    // eslint-disable-next-line react-hooks/set-state-in-effect
    void join();
  }, [signedIn, code, join]);

  const rememberJoin = () => {
    sessionStorage.setItem(joinKey, code);
  };
  const next = paths.invite(code);
  const signupOpen = config.status !== "ready" || config.config.auth.signup;
  return (
    <CardPage>
      {preview.status === "loading" && <SkeletonRows count={2} label={t("common.loading")} />}
      {preview.status === "failed" && (
        <div className={styles.invite}>
          <h1 className={styles.inviteTitle}>{t("invite.title")}</h1>
          <InlineError message={preview.message} />
          <Button
            onClick={() => {
              setAttempt(attempt + 1);
            }}
          >
            {t("common.retry")}
          </Button>
        </div>
      )}
      {preview.status === "gone" && (
        <div className={styles.invite}>
          <h1 className={styles.inviteTitle}>{t("invite.goneTitle")}</h1>
          <p>{t("invite.goneLead")}</p>
          <Link href={paths.home} className={buttonClass("secondary", true)}>
            {t("invite.home")}
          </Link>
        </div>
      )}
      {preview.status === "found" && (
        <div className={styles.invite}>
          <p className={styles.inviter}>
            <Avatar
              id={preview.invite.inviter.id}
              name={preview.invite.inviter.display_name}
              picture={preview.invite.inviter.avatar_url}
              size={24}
            />
            <span>{t("invite.invites", { name: preview.invite.inviter.display_name })}</span>
          </p>
          <div>
            <h1 className={styles.inviteTitle}>
              <bdi>{preview.invite.room.name}</bdi>
            </h1>
            {preview.invite.room.topic && <p className={styles.inviteTopic}>{preview.invite.room.topic}</p>}
            <p className={styles.inviteFacts}>
              {t("room.membersCount", { count: preview.invite.room.members })}
            </p>
          </div>
          <InlineError message={failure} />
          <div className={styles.actions}>
            {signedIn ? (
              <Button kind="primary" wide busy={busy} onClick={() => void join()}>
                {t("invite.join")}
              </Button>
            ) : (
              <>
                {signupOpen && (
                  <Link
                    href={paths.signUp(next)}
                    className={buttonClass("primary", true)}
                    onClick={rememberJoin}
                  >
                    {t("invite.joinNew")}
                  </Link>
                )}
                <Link
                  href={paths.signIn(next)}
                  onClick={rememberJoin}
                  className={buttonClass(signupOpen ? "secondary" : "primary", true)}
                >
                  {t("invite.joinWithAccount")}
                </Link>
              </>
            )}
          </div>
        </div>
      )}
    </CardPage>
  );
}
