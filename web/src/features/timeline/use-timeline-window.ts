import { startTransition, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { Seq } from "../../protocol/ids";
import type { Timeline, TimelineItems } from "../../sync/views";
import { seqOfItem } from "./row-model";

/** Rows drawn at first (some more than a view has place for), added at an end when it comes near, and kept at most. */
const rowsAtFirst = 40;
const rowsStep = 40;
const rowsMax = 220;

/** How close, in heights of the view, an end of what is drawn may come before more is added. */
const nearViews = 1.5;
/** How close before there is no time to do anything else first. */
const urgentViews = 0.5;
/** An end may lose rows when it is further away than this many times near. */
const farNears = 2.5;
/** Closer to the bottom than this counts as at the bottom. */
const bottomSlackPx = 24;
/** How far below the top the row of a jump is put, as a part of the view's height. */
const jumpPlace = 0.25;

/** What is drawn: from one number to another, or (null) to the end of what is there. */
interface Span {
  readonly from: number;
  readonly to: number | null;
}

/** The row that stays where it is while others come and go around it. */
interface Anchor {
  readonly key: string;
  readonly seq: number | null;
  /** Distance of its top from the top of the view. */
  readonly offsetPx: number;
}

type Goal = { kind: "bottom" } | { kind: "row"; seq: number; offsetPx: number | null };

function seqAt(items: TimelineItems, index: number): number {
  for (let at = Math.max(0, index); at < items.length; at++) {
    const item = items.at(at);
    const seq = item && seqOfItem(item);
    if (seq !== null && seq !== undefined) return seq;
  }
  // Only unsent messages from here on: they have no number and are always drawn with the end.
  return Number.MAX_SAFE_INTEGER;
}

function spanAround(items: TimelineItems, index: number): Span {
  const start = Math.max(0, index - rowsAtFirst / 2);
  const end = start + rowsAtFirst;
  return { from: start === 0 ? 0 : seqAt(items, start), to: end >= items.length ? null : seqAt(items, end) };
}

function indexOf(items: TimelineItems, seq: number): number {
  return items.indexOfSeq(seq as Seq);
}

/** Where a room opens. */
export interface Opening {
  /** A row that was left there, the first unread one, or null for the bottom. */
  readonly seq: number | null;
  readonly offsetPx: number | null;
}

/** What the view shows now, told after each scroll and each change. */
export interface ViewState {
  readonly atBottom: boolean;
  /** The number of the last row that is wholly in view; null if none. */
  readonly lastSeenSeq: number | null;
  /** The number of the first row in view. */
  readonly firstSeenSeq: number | null;
}

/**
 * Draws a window of a long timeline and keeps what is being read in place.
 *
 * Rows are ordinary flow, with nothing above or below the window: no height is ever guessed. Before the reader comes
 * to an end of the window, rows are added there and dropped at the far end. After every change, whatever its cause
 * (older messages, a picture, colours in code, a longer composer), the anchor row is put back to where it was, in the
 * same frame; at the bottom, the bottom is kept instead. The browser's own scroll anchoring is switched off, because
 * not all browsers have it and two corrections would add up.
 */
export function useTimelineWindow({
  timeline,
  opening,
  onLoadOlder,
  onLoadNewer,
  onView,
}: {
  timeline: Timeline;
  opening: Opening;
  onLoadOlder: () => void;
  onLoadNewer: () => void;
  onView: (state: ViewState) => void;
}) {
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const { items } = timeline;
  const [span, setSpan] = useState<Span>(() =>
    spanAround(items, opening.seq === null ? items.length : indexOf(items, opening.seq)),
  );
  const start = span.from === 0 ? 0 : Math.min(indexOf(items, span.from), items.length);
  const end = span.to === null ? items.length : Math.max(start, indexOf(items, span.to + 1));

  const anchor = useRef<Anchor | null>(null);
  const stuck = useRef(opening.seq === null);
  const goal = useRef<Goal | null>(
    opening.seq === null ? { kind: "bottom" } : { kind: "row", seq: opening.seq, offsetPx: opening.offsetPx },
  );
  const latest = useRef({ timeline, start, end, span, onLoadOlder, onLoadNewer, onView });
  useLayoutEffect(() => {
    latest.current = { timeline, start, end, span, onLoadOlder, onLoadNewer, onView };
  });

  /** Reads which rows are in view and remembers the first of them. */
  const look = useCallback(() => {
    const view = scroller.current;
    const rows = content.current?.querySelectorAll<HTMLElement>(":scope > [data-row]");
    if (!view || !rows) return;
    const { timeline: now, start: startNow, end: endNow } = latest.current;
    const top = view.getBoundingClientRect().top;
    const bottom = top + view.clientHeight;
    const atBottom =
      view.scrollHeight - view.scrollTop - view.clientHeight <= bottomSlackPx &&
      endNow >= now.items.length &&
      now.newer === "end";
    // Rows are in order: the first in view is found by halving, not by measuring all.
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle]!.getBoundingClientRect().bottom > top) high = middle;
      else low = middle + 1;
    }
    // The first row that is loaded loses its day and its name once it is known what stands above it: the next one keeps
    // its height.
    const changes = low === 0 && startNow === 0 && now.older !== "end" && low + 1 < rows.length;
    const first = rows[changes ? low + 1 : low];
    anchor.current = first
      ? {
          key: first.dataset.row!,
          seq: first.dataset.seq ? Number(first.dataset.seq) : null,
          offsetPx: first.getBoundingClientRect().top - top,
        }
      : null;
    stuck.current = atBottom;
    let lastSeen: number | null = null;
    for (let at = low; at < rows.length; at++) {
      if (rows[at]!.getBoundingClientRect().bottom > bottom + 1) break;
      const seq = rows[at]!.dataset.lastSeq;
      if (seq) lastSeen = Number(seq);
    }
    latest.current.onView({ atBottom, lastSeenSeq: lastSeen, firstSeenSeq: anchor.current?.seq ?? null });
  }, []);

  /** Puts the view where it has to be after rows changed: at its goal, at the bottom, or with its anchor in place. */
  const settle = useCallback(() => {
    const view = scroller.current;
    const inside = content.current;
    if (!view || !inside) return;
    const wanted = goal.current;
    goal.current = null;
    if (wanted?.kind === "bottom" || (wanted === null && stuck.current)) {
      view.scrollTop = view.scrollHeight;
      return;
    }
    const held = wanted
      ? inside.querySelector<HTMLElement>(
          `:scope > [data-seq="${rowSeqAt(latest.current.timeline.items, wanted.seq)}"]`,
        )
      : anchor.current &&
        inside.querySelector<HTMLElement>(`:scope > [data-row="${CSS.escape(anchor.current.key)}"]`);
    if (!held) {
      if (wanted) view.scrollTop = view.scrollHeight;
      return;
    }
    const offset = wanted ? (wanted.offsetPx ?? view.clientHeight * jumpPlace) : anchor.current!.offsetPx;
    const drift = held.getBoundingClientRect().top - view.getBoundingClientRect().top - offset;
    if (Math.abs(drift) > 0.25) view.scrollTop += drift;
  }, []);

  /** Adds rows at an end that is near, drops them at one that is far, and asks for more where there are none left. */
  const balance = useCallback(() => {
    const view = scroller.current;
    if (!view) return;
    const { timeline: now, start: from, end: to, span: current } = latest.current;
    const near = view.clientHeight * nearViews;
    const above = view.scrollTop;
    const below = view.scrollHeight - view.scrollTop - view.clientHeight;
    if (above < near && from === 0 && now.older === "more") latest.current.onLoadOlder();
    if (below < near && to >= now.items.length && now.newer === "more") latest.current.onLoadNewer();
    const newStart = above < near ? Math.max(0, from - rowsStep) : from;
    const newEnd = below < near ? Math.min(now.items.length, to + rowsStep) : to;
    const grown = newStart !== from || newEnd !== to;
    if (!grown && to - from <= rowsMax) return;
    const tooMany = newEnd - newStart - rowsMax;
    // What is dropped is so far out of view that dropping does not bring that end near: on a very tall screen of short
    // rows the two would otherwise take turns for ever.
    const dropAbove = tooMany > 0 && above > below && above > near * farNears ? tooMany : 0;
    const dropBelow = tooMany > 0 && above <= below && below > near * farNears ? tooMany : 0;
    if (!grown && dropAbove === 0 && dropBelow === 0) return;
    const next: Span = {
      from: newStart + dropAbove === 0 ? 0 : seqAt(now.items, newStart + dropAbove),
      to: newEnd - dropBelow >= now.items.length ? null : seqAt(now.items, newEnd - dropBelow - 1),
    };
    if (next.from === current.from && next.to === current.to) return;
    // What is not in view for a while is drawn between other things, so that a room opens sooner and keys go first.
    const urgent = view.clientHeight * urgentViews;
    if ((newStart < from && above < urgent) || (newEnd > to && below < urgent)) setSpan(next);
    else startTransition(() => setSpan(next));
  }, []);

  useLayoutEffect(() => {
    settle();
    look();
    balance();
  });

  useEffect(() => {
    const view = scroller.current;
    const inside = content.current;
    if (!view || !inside) return;
    let frame = 0;
    const onScroll = () => {
      look();
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        balance();
      });
    };
    // Told before the frame is painted: what grew is corrected before anybody sees it.
    const observer = new ResizeObserver(() => {
      settle();
      look();
    });
    view.addEventListener("scroll", onScroll, { passive: true });
    observer.observe(inside);
    observer.observe(view);
    return () => {
      view.removeEventListener("scroll", onScroll);
      observer.disconnect();
      cancelAnimationFrame(frame);
    };
  }, [look, settle, balance]);

  /** Shows the end of the timeline and stays there. */
  const toBottom = useCallback(() => {
    goal.current = { kind: "bottom" };
    stuck.current = true;
    const { items: now } = latest.current.timeline;
    setSpan(spanAround(now, now.length));
  }, []);

  /** Shows the row of a number, or the next one after it; its surroundings must be loaded. */
  const toSeq = useCallback((seq: number) => {
    goal.current = { kind: "row", seq, offsetPx: null };
    stuck.current = false;
    // By numbers, not by places: rows that were loaded for this jump may not have been drawn yet.
    setSpan({ from: Math.max(0, seq - rowsAtFirst / 2), to: seq + rowsAtFirst / 2 });
  }, []);

  /** Where the reader is, to come back to; null at the bottom. */
  const whereabouts = useCallback(
    () =>
      stuck.current || anchor.current?.seq == null
        ? null
        : { seq: anchor.current.seq, offsetPx: anchor.current.offsetPx },
    [],
  );

  return { scroller, content, start, end, toBottom, toSeq, whereabouts };
}

function rowSeqAt(items: TimelineItems, seq: number): number {
  return seqAt(items, indexOf(items, seq));
}
