import { memo } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { formatExact, formatNames, formatTime } from "../../i18n/format";
import type { ServiceEvent } from "../../sync/views";
import styles from "./line-rows.module.css";

/** The words of a run of events of one kind; null for what needs none. */
function useServiceWords(events: readonly [ServiceEvent, ...ServiceEvent[]]): string {
  const { t } = useTranslation();
  const [first] = events;
  if (first.kind === "room") {
    const names = formatNames([first.actor?.display_name ?? t("common.unknownPerson")], t);
    return t(`timeline.room.${first.change}`, { names });
  }
  const people = new Map(
    events.flatMap((event) =>
      event.kind === "member" ? [[event.member.user.id, event.member.user] as const] : [],
    ),
  );
  const names = formatNames(
    [...people.values()].map((user) => user.display_name),
    t,
  );
  const count = people.size;
  switch (first.member.change) {
    case "joined":
    case "left":
    case "removed":
    case "banned":
      return t(`timeline.${first.member.change}`, { names, count });
    case "muted":
    case "unmuted":
      return t(`timeline.${first.member.change}`, { names });
    case "role":
      if (first.member.role === "owner") return t("timeline.madeOwner", { names });
      return first.member.role === "moderator"
        ? t("timeline.madeModerator", { names })
        : t("timeline.madeMember", { names });
  }
}

/** A line about the room itself: who came, who went, what was changed. */
export const ServiceRow = memo(function ServiceRow({
  events,
}: {
  events: readonly [ServiceEvent, ...ServiceEvent[]];
}) {
  const words = useServiceWords(events);
  const at = events[0].at;
  return (
    <p className={styles.service}>
      <bdi>{words}</bdi>{" "}
      <time dateTime={at} title={formatExact(at)}>
        {formatTime(at)}
      </time>
    </p>
  );
});
