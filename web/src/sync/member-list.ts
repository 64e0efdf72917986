import type { MemberPage } from "../protocol/http";
import type { RoomId, Seq, UserId } from "../protocol/ids";
import type { Event, Member } from "../protocol/model";
import type { Problem } from "../protocol/problem";
import { withEntry } from "./collections";
import type { AsOf, MemberList, State } from "./state";

/** A load of members that begins, fails, or brings a page as it was when the room was at `at` or later. */
export type MemberPageAction =
  | { type: "members-loading"; roomId: RoomId }
  | { type: "members-failed"; roomId: RoomId; problem: Problem }
  | { type: "member-page"; roomId: RoomId; at: Seq; page: MemberPage };

const nobody: MemberList = { members: new Map(), nextCursor: null, status: "loading", problem: null };

export function applyMemberAction(state: State, action: MemberPageAction): State {
  const list = state.members.get(action.roomId) ?? nobody;
  return {
    ...state,
    members: withEntry(state.members, action.roomId, changeList(list, action)),
  };
}

function changeList(list: MemberList, action: MemberPageAction): MemberList {
  switch (action.type) {
    case "members-loading":
      // A list that is shown stays so while more of it is loaded.
      return list.status === "ready" ? list : { ...list, status: "loading", problem: null };
    case "members-failed":
      return { ...list, status: list.members.size > 0 ? "ready" : "failed", problem: action.problem };
    case "member-page": {
      const members = new Map(list.members);
      for (const member of action.page.members) put(members, action.at, member.user.id, member);
      return { members, nextCursor: action.page.next_cursor, status: "ready", problem: null };
    }
  }
}

/** A later fact about a person wins; null says that they are no member at that number. */
function put(members: Map<UserId, AsOf<Member | null>>, at: Seq, id: UserId, member: Member | null): void {
  const held = members.get(id);
  if (held !== undefined && held.at > at) return;
  members.set(id, { at, value: member });
}

/** Keeps a list that has been loaded up to date. */
export function applyMemberEvents(state: State, roomId: RoomId, events: readonly Event[]): State {
  const list = state.members.get(roomId);
  const changes = events.filter((event) => event.kind === "member");
  if (list === undefined || changes.length === 0) return state;
  const members = new Map(list.members);
  for (const { seq, at, member } of changes) {
    const { change, joined_at, ...rest } = member;
    const gone = change === "left" || change === "removed" || change === "banned";
    const since = joined_at ?? members.get(member.user.id)?.value?.joined_at ?? at;
    put(members, seq, member.user.id, gone ? null : { ...rest, joined_at: since });
  }
  return { ...state, members: withEntry(state.members, roomId, { ...list, members }) };
}
