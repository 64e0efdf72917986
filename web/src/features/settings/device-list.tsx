import { useCallback, useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatExact, formatRelative } from "../../i18n/format";
import { describeProblem } from "../../i18n/problem";
import type { DeviceSession } from "../../protocol/http";
import { useSync } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { ConfirmDialog } from "../../ui/confirm-dialog";
import { LoadFailure } from "../../ui/load-failure";
import { SkeletonBar } from "../../ui/skeleton";
import { useLoaded } from "../../ui/use-loaded";
import { useToast } from "../../ui/toast";
import { deviceOf } from "./device-name";
import styles from "./settings.module.css";

/** Where I am signed in, and ending it there. */
export function DeviceList() {
  const { t } = useTranslation();
  const { api } = useSync();
  const toast = useToast();
  const { loaded, reload, update } = useLoaded(useCallback(() => api.listSessions(), [api]));
  const [asking, setAsking] = useState(false);

  const nameOf = (device: DeviceSession) => {
    const known = deviceOf(device.user_agent);
    return known ? t("settings.deviceOn", known) : t("settings.unknownDevice");
  };

  async function end(device: DeviceSession) {
    try {
      await api.endSession(device.id);
      update((devices) => devices.filter(({ id }) => id !== device.id));
    } catch (problem) {
      toast({ message: describeProblem(problem, t) });
    }
  }

  return (
    <>
      <p className={styles.muted}>{t("settings.devicesLead")}</p>
      {loaded.status === "loading" && <SkeletonBar width="50%" />}
      {loaded.status === "failed" && <LoadFailure problem={loaded.problem} onRetry={reload} />}
      {loaded.status === "ready" && (
        <ul className={styles.devices}>
          {loaded.value.map((device) => (
            <li key={device.id} className={styles.device}>
              <div className={styles.deviceWords}>
                <span className={styles.deviceName}>{nameOf(device)}</span>
                <span className={styles.muted} title={formatExact(device.last_used_at)}>
                  {device.current
                    ? t("settings.thisDevice")
                    : t("settings.lastUsed", { when: formatRelative(device.last_used_at) })}
                </span>
              </div>
              {!device.current && (
                <Button
                  kind="quiet"
                  aria-label={t("settings.signOutDeviceLabel", { device: nameOf(device) })}
                  onClick={() => void end(device)}
                >
                  {t("settings.signOutDevice")}
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {loaded.status === "ready" && loaded.value.length > 1 && (
        <div>
          <Button
            onClick={() => {
              setAsking(true);
            }}
          >
            {t("settings.signOutOthers")}
          </Button>
        </div>
      )}
      <ConfirmDialog
        open={asking}
        onOpenChange={setAsking}
        title={t("settings.signOutOthersTitle")}
        description={t("settings.signOutOthersLead")}
        action={t("settings.signOutOthers")}
        onConfirm={async () => {
          await api.endOtherSessions();
          update((devices) => devices.filter((device) => device.current));
          toast({ message: t("settings.signedOutOthers") });
        }}
        describeError={(error) => describeProblem(error, t)}
      />
    </>
  );
}
