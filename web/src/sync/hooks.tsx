import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useLayoutEffect,
  useMemo,
  useSyncExternalStore,
  type ReactNode,
} from "react";
import type { MessageId, RoomId, Seq, UserId } from "../protocol/ids";
import type { Attachment } from "../protocol/model";
import type { Sync, Views } from "./sync";
import type {
  Completeness,
  ConfigView,
  Connection,
  Draft,
  MemberListView,
  OutboxEntry,
  RoomListView,
  RoomState,
  Session,
  Timeline,
  Typing,
  UnreadTotal,
} from "./views";

const SyncContext = createContext<Sync | null>(null);

/** Gives the screens below it the engine. `sync` must be the same one for the life of the page. */
export function SyncProvider({ sync, children }: { sync: Sync; children: ReactNode }) {
  return <SyncContext value={sync}>{children}</SyncContext>;
}

/** The engine itself, for actions: it is always the same object, so it never needs to be a dependency that changes. */
export function useSync(): Sync {
  const sync = useContext(SyncContext);
  if (sync === null) throw new Error("useSync is called outside SyncProvider");
  return sync;
}

/** Renders again only when what `select` returns is another value. */
function useView<T>(select: (views: Views) => T): T {
  const { views } = useSync();
  return useSyncExternalStore(views.subscribe, () => select(views));
}

/** Who is signed in. Opens from the device with `confirmed: false` before the server has been asked. */
export function useSession(): Session {
  return useView((views) => views.session());
}

/** What the server offers and allows. */
export function useConfig(): ConfigView {
  return useView((views) => views.config());
}

/** Whether this server says how messages sound. Where it does not, nothing of mood is shown. */
export function useMoodOffered(): boolean {
  return useView((views) => {
    const config = views.config();
    return config.status === "ready" && config.config.features.mood;
  });
}

/** Whether live events arrive; see {@link Connection} for what to show when. */
export function useConnection(): Connection {
  return useView((views) => views.connection());
}

/** All rooms I am in, newest activity first. */
export function useRooms(): RoomListView {
  return useView((views) => views.rooms());
}

/** One room's name, counts and my place in it. */
export function useRoom(roomId: RoomId): RoomState {
  return useView((views) => views.room(roomId));
}

/** Unread over all rooms, but those whose notifications are off. */
export function useUnreadTotal(): UnreadTotal {
  return useView((views) => views.unreadTotal());
}

/** The rows of a room, kept up to date and in memory while mounted. Move through it with `useSync().timeline`. */
export function useTimeline(roomId: RoomId): Timeline {
  const { timeline } = useSync();
  // In the same commit in which it is drawn, so that what is then seen is read in a room that is open.
  useLayoutEffect(() => timeline.open(roomId), [timeline, roomId]);
  return useView((views) => views.timeline(roomId));
}

/** Writes to a room: optimistic, kept over reloads and offline. The same function until the room is another. */
export function useSend(
  roomId: RoomId,
): (message: { body: string; replyTo?: MessageId | null; attachments?: readonly Attachment[] }) => MessageId {
  const { messages } = useSync();
  return useCallback((message) => messages.send(roomId, message), [messages, roomId]);
}

/** My messages to the room that have no number yet, in order. They are the last items of the timeline as well. */
export function useOutbox(roomId: RoomId): readonly OutboxEntry[] {
  return useView((views) => views.outbox(roomId));
}

/** What can be done to the messages of a room; the same object until the room is another. */
export function useMessageActions(roomId: RoomId) {
  const { messages, read } = useSync();
  return useMemo(
    () => ({
      edit: (id: MessageId, body: string) => messages.edit(roomId, id, body),
      remove: (id: MessageId) => messages.remove(roomId, id),
      react: (id: MessageId, emoji: string) => messages.react(roomId, id, emoji),
      unreact: (id: MessageId, emoji: string) => messages.unreact(roomId, id, emoji),
      markUnreadFrom: (seq: Seq) => read.markUnreadFrom(roomId, seq),
    }),
    [messages, read, roomId],
  );
}

/** Who types in a room now, without me. */
export function useTyping(roomId: RoomId): Typing {
  return useView((views) => views.typing(roomId));
}

/** Whether a person is known to be connected. */
export function usePresence(userId: UserId): boolean {
  return useView((views) => views.online(userId));
}

/** The members of a room; the first page is loaded on mount, more with `useSync().loadMembers`. */
export function useMembers(roomId: RoomId): MemberListView {
  const sync = useSync();
  const status = useView((views) => views.members(roomId).status);
  useEffect(() => {
    if (status === "loading") sync.loadMembers(roomId).catch(() => undefined);
  }, [sync, roomId, status]);
  return useView((views) => views.members(roomId));
}

/** My unsent text in a room, kept on this device. Save with `useSync().messages.setDraft`. */
export function useDraft(roomId: RoomId): Draft {
  return useView((views) => views.draft(roomId));
}

/** How much of the room this device holds: "Everything up to #4,812 is on this device". */
export function useCompleteness(roomId: RoomId): Completeness {
  return useView((views) => views.completeness(roomId));
}

/** Whether I have blocked a person, so that their messages are shown collapsed. */
export function useBlocked(userId: UserId): boolean {
  return useView((views) => views.blocked(userId));
}
