import type { ReadState } from "../protocol/http";
import type { MessageId, RoomId, Seq, UserId } from "../protocol/ids";
import type { Config, Me, Member, Notify, Role, RoomInfo, Timestamp, User } from "../protocol/model";
import type { Problem } from "../protocol/problem";
import type { Log } from "./log";
import type { RangeSet } from "./ranges";
import type { Draft, OutboxEntry, ScrollAnchor, Session } from "./views";

/** A value together with the number of the room's log at which it was true; a later number replaces it. */
export interface AsOf<T> {
  readonly at: Seq;
  readonly value: T;
}

/** What the server said is unread, and when it said so. */
export type Counts = ReadState;

/** My place in a room. */
export interface Membership {
  readonly role: Role;
  readonly joined_at: Timestamp;
  readonly muted_until: Timestamp | null;
}

/**
 * What is held of one room in memory. Facts are joined so that their order does not matter: `log` keeps the later of two
 * states of a message, the sets of numbers only grow, every other fact carries the number at which it was true.
 */
export interface RoomRecord {
  readonly id: RoomId;
  readonly info: AsOf<Omit<RoomInfo, "members">>;
  /** How many people were in it… */
  readonly members: AsOf<number>;
  /** …and who came or went since, by number: 1 or -1. */
  readonly comings: ReadonlyMap<Seq, number>;
  readonly membership: AsOf<Membership>;
  readonly notify: Notify;
  readonly peer: User | null;
  /** How far I have read. */
  readonly read: Pick<ReadState, "read_seq" | "unread_from">;
  /** What the server last counted, by which read mark. */
  readonly counts: AsOf<Counts>;
  /** The highest number known to exist. */
  readonly head: Seq;
  /** Every event up to this number has been applied to everything held. */
  readonly position: Seq;
  /** Events beyond a gap after `position` that have been applied already. */
  readonly ahead: RangeSet;
  /**
   * Messages read when the room's head was below this number may lack a change that is no longer held here, so they are
   * not taken. It rises when something is dropped: on trimming, and on a reset.
   */
  readonly floor: Seq;
  /** The numbers of which everything is in `log`. */
  readonly known: RangeSet;
  /** The numbers of which everything is kept on the device, from where it can be put into `log` without the server. */
  readonly onDevice: RangeSet;
  /** Everything held; also messages outside `known` of which a change has been seen. Those are not shown. */
  readonly log: Log;
}

/** A load of history that is under way or did not work. */
export type LoadState = { status: "loading" } | { status: "failed"; problem: Problem };

/** Which history can be loaded: the newest, one of the two ends, what follows a number up to a hole's end, a jump. */
export type LoadKey = "first" | "older" | "newer" | `hole-${number}` | `around-${number}`;

/** A room that is on the screen. */
export interface OpenRoom {
  /** The "New" line, frozen when the room was opened or marked unread. */
  readonly firstUnreadSeq: Seq | null;
  readonly loads: ReadonlyMap<LoadKey, LoadState>;
}

/** A change of mine to a message, shown before the server confirms it. */
export interface OptimisticChange {
  readonly token: number;
  readonly roomId: RoomId;
  readonly messageId: MessageId;
  readonly seq: Seq;
  readonly change:
    { kind: "edit"; body: string } | { kind: "remove" } | { kind: "reaction"; emoji: string; on: boolean };
}

/** An outbox entry as it is kept: whether it waits or is being sent follows from the connection. */
export interface QueuedMessage extends Omit<OutboxEntry, "state"> {
  /** Its place among all messages of this device; ascending. */
  readonly order: number;
  /** `queued`: to be sent. `acked`: durable on the server, number not seen yet. `refused`: see `problem`. */
  readonly stage: "queued" | "acked" | "refused";
}

/** A room's members as far as they are loaded; each with the number at which it was true. */
export interface MemberList {
  readonly members: ReadonlyMap<UserId, AsOf<Member | null>>;
  /** Null once the last page is here. */
  readonly nextCursor: string | null;
  readonly status: "loading" | "ready" | "failed";
  readonly problem: Problem | null;
}

export type SocketState =
  | { status: "connecting"; sinceMs: number }
  | { status: "ready" }
  | { status: "waiting"; sinceMs: number; nextAttemptAtMs: number | null; offline: boolean }
  | { status: "refused"; problem: Problem };

export interface Typist {
  readonly user: User;
  readonly untilMs: number;
}

/** Everything that screens show comes from here, and everything here is changed by `reduce` alone. */
export interface State {
  readonly session: Session;
  readonly config: Config | null;
  readonly configProblem: Problem | null;
  readonly socket: SocketState;
  /** Whether the list of rooms is complete, from this device or the server. */
  readonly roomsListed: boolean;
  readonly rooms: ReadonlyMap<RoomId, RoomRecord>;
  readonly open: ReadonlyMap<RoomId, OpenRoom>;
  /** In the order of `order`. */
  readonly outbox: ReadonlyMap<RoomId, readonly QueuedMessage[]>;
  /** While the server asked to wait, or could not be reached: when sending goes on. */
  readonly outboxPausedUntilMs: number | null;
  readonly optimistic: ReadonlyMap<RoomId, readonly OptimisticChange[]>;
  readonly drafts: ReadonlyMap<RoomId, Draft>;
  readonly anchors: ReadonlyMap<RoomId, ScrollAnchor>;
  readonly typing: ReadonlyMap<RoomId, readonly Typist[]>;
  readonly online: ReadonlySet<UserId>;
  readonly members: ReadonlyMap<RoomId, MemberList>;
  readonly blocked: ReadonlySet<UserId>;
}

/** The person whose rooms these are; null while nobody is signed in. */
export function meOf(state: State): Me | null {
  return state.session.status === "signed-in" ? state.session.me : null;
}

/** A page that knows nobody yet. */
export function initialState(nowMs: number): State {
  return {
    session: { status: "restoring" },
    config: null,
    configProblem: null,
    socket: { status: "connecting", sinceMs: nowMs },
    roomsListed: false,
    rooms: new Map(),
    open: new Map(),
    outbox: new Map(),
    outboxPausedUntilMs: null,
    optimistic: new Map(),
    drafts: new Map(),
    anchors: new Map(),
    typing: new Map(),
    online: new Set(),
    members: new Map(),
    blocked: new Set(),
  };
}
