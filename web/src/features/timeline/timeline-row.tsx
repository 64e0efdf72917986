import { memo } from "react";
import type { User } from "../../protocol/model";
import { HoleRow } from "./hole-row";
import { DayLine, NewLine } from "./line-rows";
import { MessageRow } from "./message-row";
import { seqOfItem, type Row } from "./row-model";
import { ServiceRow } from "./service-row";
import type { Rights } from "./timeline-actions";

/** Which floating part of a row is open. */
export type OpenedPart = "menu" | "picker";

/** Props of {@link TimelineRow}. */
export interface TimelineRowProps {
  row: Row;
  me: User;
  rights: Rights;
  moods: boolean;
  active: boolean;
  tabbable: boolean;
  opened: OpenedPart | null;
  onOpenedChange: (key: string, part: OpenedPart | null) => void;
  editing: boolean;
  flash: boolean;
}

/** One item of the timeline with the lines that stand above it. */
export const TimelineRow = memo(
  function TimelineRow({ row, onOpenedChange, opened, ...flags }: TimelineRowProps) {
    const { item } = row;
    return (
      <div data-row={item.key} data-seq={seqOfItem(item) ?? undefined} data-last-seq={lastSeqOf(item)}>
        {row.dayLine !== null && <DayLine time={row.dayLine} />}
        {row.newLine && <NewLine />}
        {item.kind === "service" && <ServiceRow events={item.events} />}
        {item.kind === "hole" && <HoleRow hole={item} />}
        {(item.kind === "message" || item.kind === "pending") && (
          <MessageRow
            {...flags}
            message={item.kind === "message" ? item.message : null}
            entry={item.kind === "pending" ? item.entry : null}
            pendingChange={item.kind === "message" ? item.pendingChange : null}
            grouped={row.grouped}
            quoted={row.quoted}
            opened={opened}
            onOpenedChange={(part) => {
              onOpenedChange(item.key, part);
            }}
          />
        )}
      </div>
    );
  },
  // The row object is made anew each time; what it says seldom changes.
  (before, after) =>
    before.row.item === after.row.item &&
    before.row.dayLine === after.row.dayLine &&
    before.row.newLine === after.row.newLine &&
    before.row.grouped === after.row.grouped &&
    before.row.quoted === after.row.quoted &&
    before.me === after.me &&
    before.rights === after.rights &&
    before.moods === after.moods &&
    before.active === after.active &&
    before.tabbable === after.tabbable &&
    before.opened === after.opened &&
    before.onOpenedChange === after.onOpenedChange &&
    before.editing === after.editing &&
    before.flash === after.flash,
);

function lastSeqOf(item: Row["item"]): number | undefined {
  if (item.kind === "service") return item.events.at(-1)!.seq;
  return item.kind === "message" ? item.seq : undefined;
}
