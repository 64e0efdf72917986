import { useEffect } from "react";
import { useTranslation } from "../i18n/use-translation";
import { useUnreadTotal } from "../sync/hooks";
import { showFavicon } from "../ui/favicon";

/** What comes in where somebody is reading is read by then: the tab does not flicker with every message. */
const unreadToldAfterMs = 300;

/** Says in the tab where one is and how much is unread. */
export function usePageTitle(place: string | null): void {
  const { t } = useTranslation();
  const { unread, mentions } = useUnreadTotal();
  const name = t("app.name");
  const where = place === null ? name : `${place} · ${name}`;
  const title = unread > 0 ? t("app.titleUnread", { count: unread, title: where }) : where;
  const badge = mentions > 0 ? "mention" : unread > 0 ? "unread" : "none";
  useEffect(() => {
    const timer = setTimeout(() => {
      if (document.title !== title) document.title = title;
      showFavicon(badge);
    }, unreadToldAfterMs);
    return () => {
      clearTimeout(timer);
    };
  }, [title, badge]);
}
