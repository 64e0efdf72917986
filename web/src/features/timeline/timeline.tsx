import {
  lazy,
  Suspense,
  useDeferredValue,
  useEffect,
  useImperativeHandle,
  useMemo,
  useState,
  type Ref,
} from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { Seq } from "../../protocol/ids";
import type { Me, Message } from "../../protocol/model";
import { useMoodOffered, useSync, useTimeline } from "../../sync/hooks";
import type { RoomView, Timeline as TimelineState } from "../../sync/views";
import { Button } from "../../ui/button";
import { EmptyState } from "../../ui/empty-state";
import { SkeletonRows } from "../../ui/skeleton";
import { JumpPill } from "./jump-pill";
import { EdgeLine, RoomBeginning } from "./line-rows";
import { rowsOf, seqOfItem } from "./row-model";
import { TimelineActionsProvider, type Rights } from "./timeline-actions";
import { TimelineRow } from "./timeline-row";
import { useAnnouncements } from "./use-announcements";
import { useOpening } from "./use-opening";
import { useReading } from "./use-reading";
import { useRowActions } from "./use-row-actions";
import { useRowFocus } from "./use-row-focus";
import { useTimelineWindow, type Opening, type ViewState } from "./use-timeline-window";
import styles from "./timeline.module.css";

const RemoveDialog = lazy(() => import("./remove-dialog"));

/** What the screen around a timeline can ask of it. */
export interface TimelineHandle {
  /** Opens my newest message for editing; false if there is none near. */
  editLast: () => boolean;
  /** Gives the focus to the newest row. */
  focus: () => void;
  /** Goes to a message; with `focus`, for whoever was taken away from where they were, it gets the focus too. */
  toMessage: (seq: Seq, options: { focus: boolean }) => void;
  /** Goes to the newest message, as after sending one. */
  toLatest: () => void;
}

/** Props of {@link Timeline}. */
export interface TimelineProps {
  room: RoomView;
  me: Me;
  /** The number to open at, from a link to a message. */
  at: Seq | null;
  onReply: (message: Message) => void;
  onTakeBack: (draft: { text: string; replyTo: Message["reply_to"] }) => void;
  onLeaveFocus: () => void;
  ref?: Ref<TimelineHandle>;
}

/** The messages of a room. Mount it anew for each room. */
export function Timeline(props: TimelineProps) {
  const { t } = useTranslation();
  const sync = useSync();
  const timeline = useTimeline(props.room.id);
  // A room that is loaded is drawn at once. One that waited is drawn between other things, so that a slow phone answers
  // meanwhile.
  const opening = useDeferredValue(useOpening(props.room.id, timeline, props.at));
  if (timeline.status === "failed") {
    return (
      <div className={styles.centre}>
        <EmptyState
          title={t("timeline.failedTitle")}
          actions={
            <Button
              kind="primary"
              onClick={() => {
                sync.timeline.loadLatest(props.room.id).catch(() => undefined);
              }}
            >
              {t("common.retry")}
            </Button>
          }
        >
          {t(timeline.problem?.code === "unavailable" ? "errors.unavailable" : "errors.network")}
        </EmptyState>
      </div>
    );
  }
  if (opening === null) {
    return (
      <div className={styles.loading}>
        <SkeletonRows count={9} label={t("timeline.loading")} />
      </div>
    );
  }
  return <Rows {...props} timeline={timeline} opening={opening} />;
}

function Rows({
  room,
  me,
  at,
  onReply,
  onTakeBack,
  onLeaveFocus,
  ref,
  timeline,
  opening,
}: TimelineProps & { timeline: TimelineState; opening: Opening }) {
  const { t } = useTranslation();
  const sync = useSync();
  const [view, setView] = useState<ViewState>({ atBottom: true, lastSeenSeq: null, firstSeenSeq: null });
  const [flashSeq, setFlashSeq] = useState<number | null>(at);
  const moods = useMoodOffered() && room.moodEnabled;
  const reading = useReading(room.id, room.readSeq, room.unreadFrom);
  useAnnouncements(room.id);

  const { scroller, content, start, end, toBottom, toSeq, whereabouts } = useTimelineWindow({
    timeline,
    opening,
    onLoadOlder: () => void sync.timeline.loadOlder(room.id).catch(() => undefined),
    onLoadNewer: () => void sync.timeline.loadNewer(room.id).catch(() => undefined),
    onView: (state) => {
      if (state.lastSeenSeq !== null) reading.sawUpTo(state.atBottom ? timeline.head : state.lastSeenSeq);
      setView((before) =>
        before.atBottom === state.atBottom &&
        before.lastSeenSeq === state.lastSeenSeq &&
        before.firstSeenSeq === state.firstSeenSeq
          ? before
          : state,
      );
    },
  });

  useEffect(
    () => () => {
      const left = whereabouts();
      sync.timeline.setScrollAnchor(room.id, left && { seq: left.seq as Seq, offsetPx: left.offsetPx });
    },
    [sync, room.id, whereabouts],
  );

  async function jumpTo(seq: Seq) {
    await sync.timeline.loadAround(room.id, seq).catch(() => undefined);
    toSeq(seq);
    setFlashSeq(seq);
  }

  async function toLatest() {
    if (timeline.newer !== "end") await sync.timeline.loadLatest(room.id).catch(() => undefined);
    toBottom();
  }

  // A link to a message of the room that is open already, or whose surroundings are not loaded.
  useEffect(() => {
    if (at === null) return;
    let wanted = true;
    sync.timeline.loadAround(room.id, at).then(
      () => {
        if (!wanted) return;
        toSeq(at);
        setFlashSeq(at);
      },
      () => undefined,
    );
    return () => {
      wanted = false;
    };
  }, [sync, room.id, at, toSeq]);

  const rights: Rights = useMemo(
    () => ({ moderate: room.role !== "member", write: room.mutedUntil === null }),
    [room.role, room.mutedUntil],
  );
  const { actions, editing, removing, setRemoving } = useRowActions({
    roomId: room.id,
    onReply,
    onTakeBack,
    onJump: (seq) => void jumpTo(seq),
    onMarkUnread: reading.pause,
    onEditDone: onLeaveFocus,
  });

  const rows = rowsOf(timeline.items, start, end, timeline.firstUnreadSeq, me);
  const focus = useRowFocus({ scroller, content, rows, me, rights, actions, onLeave: onLeaveFocus });

  useImperativeHandle(ref, () => ({
    editLast: () => {
      for (
        let index = timeline.items.length - 1;
        index >= Math.max(0, timeline.items.length - 100);
        index--
      ) {
        const item = timeline.items.at(index);
        if (
          item?.kind === "message" &&
          item.message.sender.id === me.id &&
          item.message.deleted_at === null
        ) {
          if (index < start || index >= end) toSeq(item.seq);
          actions.startEdit(item.message.id);
          return true;
        }
      }
      return false;
    },
    focus: focus.focusLast,
    toMessage: (seq, options) => void jumpTo(seq).then(() => options.focus && focus.focusSeq(seq)),
    toLatest: () => void toLatest(),
  }));

  const older = timeline.older;
  const creator = creatorOf(timeline, room);
  return (
    <div className={styles.frame}>
      <TimelineActionsProvider value={actions}>
        <div
          ref={scroller}
          className={styles.scroller}
          role="log"
          aria-live="off"
          aria-label={t("timeline.label", { room: room.name })}
          tabIndex={-1}
        >
          <div ref={content} className={styles.content} {...focus.handlers}>
            {older === "end" && start === 0 && (
              <RoomBeginning room={room} creator={creator} empty={!hasWords(timeline)} />
            )}
            {older !== "end" && start === 0 && (
              <div className={styles.edge}>
                {older !== "more" && (
                  <EdgeLine
                    state={older}
                    onRetry={() => void sync.timeline.loadOlder(room.id).catch(() => undefined)}
                  />
                )}
              </div>
            )}
            {rows.map((row) => (
              <TimelineRow
                key={row.item.key}
                row={row}
                me={me}
                rights={rights}
                moods={moods}
                active={focus.activeKey === row.item.key}
                tabbable={focus.tabKey === row.item.key}
                opened={focus.opened?.key === row.item.key ? focus.opened.part : null}
                onOpenedChange={focus.setOpened}
                editing={editing !== null && editing === row.item.key}
                flash={flashSeq !== null && flashSeq === seqOfItem(row.item)}
              />
            ))}
          </div>
        </div>
        {removing && (
          <Suspense>
            <RemoveDialog
              roomId={room.id}
              message={removing}
              meId={me.id}
              onClose={() => setRemoving(null)}
            />
          </Suspense>
        )}
      </TimelineActionsProvider>
      {!view.atBottom && (
        <JumpPill
          label={room.unread > 0 ? t("timeline.newPill", { count: room.unread }) : t("timeline.toLatest")}
          quiet={room.unread === 0}
          onClick={() => void toLatest()}
        />
      )}
    </div>
  );
}

function creatorOf(timeline: TimelineState, room: RoomView): string | null {
  const first = timeline.items.at(0);
  const event = first?.kind === "service" ? first.events[0] : null;
  return event?.actor?.id === room.createdBy ? event.actor.display_name : null;
}

/** Whether anybody has said anything, as far as the first rows tell. */
function hasWords(timeline: TimelineState): boolean {
  return timeline.items.slice(0, 20).some((item) => item.kind !== "service");
}
