import { useEffect } from "react";
import { useTranslation } from "../i18n/use-translation";
import { useRegisterSW } from "virtual:pwa-register/react";
import { useToast } from "../ui/toast";

/** Offers a new version when there is one; nothing changes under a person's hands. */
export function UpdateNotice() {
  const { t } = useTranslation();
  const toast = useToast();
  const {
    needRefresh: [needRefresh],
    updateServiceWorker,
  } = useRegisterSW();
  useEffect(() => {
    if (!needRefresh) return;
    toast({
      message: t("app.newVersion"),
      action: { label: t("app.reload"), run: () => void updateServiceWorker(true) },
    });
  }, [needRefresh, toast, t, updateServiceWorker]);
  return null;
}
