import { useEffect, useState } from "react";
import { currentLanguage } from "../../i18n/i18n";
import type { RoomId } from "../../protocol/ids";
import type { User } from "../../protocol/model";
import { useRooms, useSession, useSync } from "../../sync/hooks";
import { loadEmoji } from "../../ui/emoji/emoji-data";
import { suggestEmoji, suggestPeople, suggestRooms, type Suggestion, type Trigger } from "./completion";

const none: readonly Suggestion[] = [];

/** What can stand in place of the word before the caret; none until something asks for it. */
export function useSuggestions(roomId: RoomId, trigger: Trigger | null): readonly Suggestion[] {
  const sync = useSync();
  const { rooms } = useRooms();
  const session = useSession();
  const myId = session.status === "signed-in" ? session.me.id : null;
  const [fetched, setFetched] = useState<{ sign: string; query: string; found: readonly Suggestion[] }>();
  const sign = trigger?.sign;
  const query = trigger?.query ?? "";

  useEffect(() => {
    if (sign === undefined || sign === "#") return;
    const abort = new AbortController();
    const show = (found: readonly Suggestion[]) => {
      if (!abort.signal.aborted) setFetched({ sign, query, found });
    };
    const ask = async () => {
      if (sign === ":") {
        show(suggestEmoji(await loadEmoji(currentLanguage()), query));
        return;
      }
      const listed = () => sync.views.members(roomId);
      if (listed().status === "loading") await sync.loadMembers(roomId);
      const members: User[] = listed()
        .members.map((member) => member.user)
        .filter((user) => user.id !== myId);
      show(suggestPeople(members, query));
      // In a large room the list holds the first page only: the server knows the others.
      if (listed().more && query !== "") {
        const { users } = await sync.api.searchUsers(query, null, abort.signal);
        show(suggestPeople([...members, ...users.filter((user) => user.id !== myId)], query));
      }
    };
    // Without an answer there is nothing to suggest; what was typed stays as it is.
    ask().catch(() => undefined);
    return () => {
      abort.abort();
    };
  }, [sync, roomId, sign, query, myId]);

  if (sign === undefined) return none;
  if (sign === "#") return suggestRooms(rooms, query, location.origin);
  // While the next letters are looked up, what the letters before found stays, so that the list does not flicker.
  return fetched?.sign === sign && query.startsWith(fetched.query) ? fetched.found : none;
}
