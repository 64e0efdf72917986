import { after, noSeq, type Seq, type UserId } from "../protocol/ids";
import type { Event, MemberEvent, MemberRoom, Message } from "../protocol/model";
import { withEntry } from "./collections";
import { dropEntriesBelow, emptyLog, messageEntry, putEntries, serviceEntry, type LogEntry } from "./log";
import { messageOfEvent, withMyReactions } from "./messages";
import { addRange, dropBelow, noRanges, rangeAt, type RangeSet } from "./ranges";
import type { AsOf, Membership, RoomRecord } from "./state";

/** The later of two facts; at the same number they are the same fact. */
function later<T>(held: AsOf<T>, at: Seq, value: () => T): AsOf<T> {
  return at > held.at ? { at, value: value() } : held;
}

function highest(a: Seq, b: Seq): Seq {
  return a > b ? a : b;
}

function membershipOf(room: MemberRoom): Membership {
  return { role: room.role, joined_at: room.joined_at, muted_until: room.muted_until };
}

function infoOf(room: MemberRoom): RoomRecord["info"]["value"] {
  const { id, name, topic, visibility, created_by, created_at, mood_enabled } = room;
  return { id, name, topic, visibility, created_by, created_at, mood_enabled };
}

function countsOf(room: MemberRoom): RoomRecord["counts"]["value"] {
  const { read_seq, unread_from, unread, mentions } = room;
  return { read_seq, unread_from, unread, mentions };
}

/**
 * A room of which nothing is held yet. Events up to the room's head at that moment change nothing that is held, so the
 * record is at that position already.
 */
export function newRecord(room: MemberRoom, me: UserId): RoomRecord {
  const at = room.head;
  const record: RoomRecord = {
    id: room.id,
    info: { at, value: infoOf(room) },
    members: { at, value: room.members },
    comings: new Map(),
    membership: { at, value: membershipOf(room) },
    notify: room.notify,
    peer: room.peer,
    read: { read_seq: room.read_seq, unread_from: room.unread_from },
    counts: { at, value: countsOf(room) },
    head: at,
    position: at,
    ahead: noRanges,
    floor: at,
    known: noRanges,
    onDevice: noRanges,
    log: emptyLog,
  };
  return applySnapshot(record, room, me);
}

function comingsAfter(comings: RoomRecord["comings"], at: Seq): RoomRecord["comings"] {
  return new Map([...comings].filter(([seq]) => seq > at));
}

/** The room as the server lists it, at the moment of `room.head`. */
export function applySnapshot(record: RoomRecord, room: MemberRoom, me: UserId): RoomRecord {
  const at = room.head;
  // An unread mark is no event, so nothing orders two lists with the same head: the later answer is taken.
  const newer = at >= record.counts.at;
  return {
    ...record,
    info: later(record.info, at, () => infoOf(room)),
    members: later(record.members, at, () => room.members),
    comings: at > record.members.at ? comingsAfter(record.comings, at) : record.comings,
    membership: later(record.membership, at, () => membershipOf(room)),
    notify: newer ? room.notify : record.notify,
    peer: room.peer ?? record.peer,
    read: newer
      ? { read_seq: highest(record.read.read_seq, room.read_seq), unread_from: room.unread_from }
      : record.read,
    counts: newer ? { at, value: countsOf(room) } : record.counts,
    head: highest(record.head, at),
    log:
      room.last_message === null
        ? record.log
        : putEntries(record.log, [messageEntry(withMyReactions(room.last_message, me))]),
  };
}

/** Moves the position over everything applied that it touches now. */
function settle(record: RoomRecord, ahead: RangeSet): RoomRecord {
  const touching = rangeAt(ahead, after(record.position));
  const position = touching?.to ?? record.position;
  const left = dropBelow(ahead, after(position));
  return position === record.position && left === record.ahead
    ? record
    : { ...record, position, ahead: left, head: highest(record.head, position) };
}

/** Events, in any order, once or often. */
export function applyEvents(record: RoomRecord, events: readonly Event[], me: UserId): RoomRecord {
  let { ahead, known, head, info, membership, comings } = record;
  const entries: LogEntry[] = [];
  for (const event of events) {
    if (event.seq > record.position) ahead = addRange(ahead, event.seq, event.seq);
    // An event says all there is about its own number, unless that lies below what was dropped.
    if (event.seq > record.floor) known = addRange(known, event.seq, event.seq);
    head = highest(head, event.seq);
    switch (event.kind) {
      case "member":
        entries.push(serviceEntry(event));
        if (event.seq > record.members.at) comings = withEntry(comings, event.seq, comingOf(event));
        if (event.member.user.id === me) {
          const { role, joined_at, muted_until } = event.member;
          const since = joined_at ?? membership.value.joined_at;
          membership = later(membership, event.seq, () => ({ role, joined_at: since, muted_until }));
        }
        break;
      case "room": {
        entries.push(serviceEntry(event));
        const { members, ...rest } = event.room;
        info = later(info, event.seq, () => rest);
        break;
      }
      case "unknown":
        break;
      default:
        entries.push(messageEntry(messageOfEvent(event, me)));
    }
  }
  const log = putEntries(record.log, entries);
  return settle({ ...record, known, head, info, membership, comings, log }, ahead);
}

/**
 * A page of events: beside the events it says that the other numbers from `afterSeq` + 1 to `to` are void.
 */
export function applyChanges(
  record: RoomRecord,
  page: { events: readonly Event[]; afterSeq: Seq; to: Seq; head: Seq },
  me: UserId,
): RoomRecord {
  const next = applyEvents(record, page.events, me);
  const from = after(page.afterSeq);
  if (from > page.to) return { ...next, head: highest(next.head, page.head) };
  const unseen = highest(from, after(next.position));
  const ahead = unseen <= page.to ? addRange(next.ahead, unseen, page.to) : next.ahead;
  // Its messages are as they were at its head, so all of it is known if nothing was dropped since.
  const known = page.head >= next.floor ? addRange(next.known, from, page.to) : next.known;
  return settle({ ...next, known, head: highest(next.head, page.head) }, ahead);
}

/** A page of messages as they were when the room's head was `head`: all there are from `from` to `to`. */
export function applyPage(
  record: RoomRecord,
  page: { messages: readonly Message[]; from: Seq; to: Seq; head: Seq },
  me: UserId,
): RoomRecord {
  if (page.head < record.floor) return record;
  // Beyond the head of that moment, the page may show messages but promises nothing.
  const to = page.to < page.head ? page.to : page.head;
  return {
    ...record,
    head: highest(record.head, page.head),
    known: page.from <= to ? addRange(record.known, page.from, to) : record.known,
    log: putEntries(
      record.log,
      page.messages.map((message) => messageEntry(withMyReactions(message, me))),
    ),
  };
}

/** Too much was missed to repair: nothing held can be trusted, so the room begins again at `head`. */
export function resetRecord(record: RoomRecord, head: Seq): RoomRecord {
  if (head <= record.position) return record;
  // Events beyond `head` may have changed messages that are dropped now: no page from before them may be taken.
  const newestApplied = record.ahead.at(-1)?.to ?? head;
  return settle(
    {
      ...record,
      position: head,
      floor: highest(head, newestApplied),
      ahead: noRanges,
      known: dropBelow(record.known, after(head)),
      onDevice: noRanges,
      log: dropEntriesBelow(record.log, after(head)),
      head: highest(record.head, head),
    },
    dropBelow(record.ahead, after(head)),
  );
}

/**
 * Lets go of what is numbered below `from`, to bound memory. Refused while there is a gap: an event beyond it may have
 * changed a message that would be let go, and then no page could be told stale.
 */
export function trimRecord(record: RoomRecord, from: Seq): RoomRecord {
  if (record.ahead.length > 0 || from <= noSeq) return record;
  return {
    ...record,
    floor: highest(record.floor, record.position),
    known: dropBelow(record.known, from),
    log: dropEntriesBelow(record.log, from),
  };
}

/** How many people are in a room now: the last count, and who came and went after it. */
export function memberCount(record: RoomRecord): number {
  let count = record.members.value;
  for (const step of record.comings.values()) count += step;
  return Math.max(count, 0);
}

/** What an event does to the number of members; a ban may concern somebody who never was one. */
function comingOf({ member }: MemberEvent): number {
  switch (member.change) {
    case "joined":
      return 1;
    case "left":
    case "removed":
      return -1;
    case "banned":
      return member.joined_at === null ? 0 : -1;
    default:
      return 0;
  }
}
