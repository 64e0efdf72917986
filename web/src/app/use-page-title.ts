import { useEffect } from "react";
import { useTranslation } from "../i18n/use-translation";
import { useUnreadTotal } from "../sync/hooks";
import { showFavicon } from "../ui/favicon";

/** Says in the tab where one is and how much is unread. */
export function usePageTitle(place: string | null): void {
  const { t } = useTranslation();
  const { unread, mentions } = useUnreadTotal();
  const name = t("app.name");
  const title = place === null ? name : `${place} · ${name}`;
  useEffect(() => {
    document.title = unread > 0 ? t("app.titleUnread", { count: unread, title }) : title;
  }, [title, unread, t]);
  useEffect(() => {
    showFavicon(mentions > 0 ? "mention" : unread > 0 ? "unread" : "none");
  }, [unread, mentions]);
}
