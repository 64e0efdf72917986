import * as decoders from "../protocol/decode";
import { noSeq, type RoomId } from "../protocol/ids";
import { Problem } from "../protocol/problem";
import type { HttpClient } from "./http-client";
import { meOf } from "./state";
import type { StoreAccess } from "./store";

/** Loads members of rooms, a page at a time, and who is at the other end of a direct room. */
export class MemberLoader {
  private readonly loads = new Map<RoomId, Promise<void>>();

  constructor(
    private readonly store: StoreAccess,
    private readonly http: HttpClient,
  ) {}

  /** Loads the next page; does nothing when the last one is here. */
  load(roomId: RoomId): Promise<void> {
    const running = this.loads.get(roomId);
    if (running !== undefined) return running;
    const list = this.store.state().members.get(roomId);
    if (list?.status === "ready" && list.nextCursor === null) return Promise.resolve();
    const run = this.loadPage(roomId, list?.nextCursor ?? null).finally(() => this.loads.delete(roomId));
    this.loads.set(roomId, run);
    return run;
  }

  /** Asks who the other person of a direct room is, where the list of rooms did not say. */
  async loadPeer(roomId: RoomId): Promise<void> {
    const me = meOf(this.store.state());
    const page = await this.page(roomId, null);
    const peer = page.members.find(({ user }) => user.id !== me?.id)?.user;
    if (peer !== undefined) this.store.dispatch({ type: "peer", roomId, peer });
  }

  private async loadPage(roomId: RoomId, cursor: string | null): Promise<void> {
    // The page is at least as new as this: events after it, seen while it is under way, are later than it.
    const at = this.store.state().rooms.get(roomId)?.position ?? noSeq;
    this.store.dispatch({ type: "members-loading", roomId });
    try {
      const page = await this.page(roomId, cursor);
      this.store.dispatch({ type: "member-page", roomId, at, page });
    } catch (cause) {
      const problem = cause instanceof Problem ? cause : new Problem("unreadable", String(cause));
      this.store.dispatch({ type: "members-failed", roomId, problem });
      throw problem;
    }
  }

  private page(roomId: RoomId, cursor: string | null) {
    const path = `/rooms/${encodeURIComponent(roomId)}/members`;
    return this.http.call(decoders.memberPage, path, { query: { cursor } });
  }
}
