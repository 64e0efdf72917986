import { LogOut } from "lucide-react";
import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem } from "../../i18n/problem";
import { useRooms, useSync } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import styles from "./settings.module.css";

/** Signs out here; asks first while something of mine is not sent, because signing out deletes it. */
export function SignOutButton() {
  const { t } = useTranslation();
  const { session } = useSync();
  const { rooms } = useRooms();
  const [asking, setAsking] = useState(false);
  const waiting = rooms.reduce((sum, room) => sum + room.waiting, 0);
  return (
    <div className={styles.signOut}>
      <Button
        icon={<LogOut />}
        onClick={() => {
          if (waiting > 0) setAsking(true);
          else void session.signOut();
        }}
      >
        {t("settings.signOut")}
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={t("settings.signOutWaitingTitle")}
        description={t("settings.signOutWaiting", { count: waiting })}
        action={t("settings.signOut")}
        onConfirm={() => session.signOut()}
        describeError={(error) => describeProblem(error, t)}
      />
    </div>
  );
}
