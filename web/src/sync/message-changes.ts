import * as decoders from "../protocol/decode";
import type { MessageId, RoomId } from "../protocol/ids";
import { Problem } from "../protocol/problem";
import type { CallOptions, HttpClient } from "./http-client";
import { messageOfId } from "./log";
import { settled } from "./optimistic";
import type { OptimisticChange } from "./state";
import type { StoreAccess } from "./store";
import type { MessageActions } from "./sync";
import type { World } from "./world";

/** How long a change that the server has confirmed waits for its event before the message is shown as the log has it. */
const eventTimeoutMs = 10_000;

/** Edits, deletions and reactions: shown at once, then asked of the server, and taken back if it refuses. */
export class MessageChanges implements MessageActions {
  private lastToken = 0;

  constructor(
    private readonly world: Pick<World, "setTimer">,
    private readonly store: StoreAccess,
    private readonly http: HttpClient,
  ) {}

  edit(roomId: RoomId, id: MessageId, body: string): Promise<void> {
    return this.change(roomId, id, { kind: "edit", body }, "", { method: "PATCH", body: { body } });
  }

  remove(roomId: RoomId, id: MessageId): Promise<void> {
    return this.change(roomId, id, { kind: "remove" }, "", { method: "DELETE" });
  }

  react(roomId: RoomId, id: MessageId, emoji: string): Promise<void> {
    const path = `/reactions/${encodeURIComponent(emoji)}`;
    return this.change(roomId, id, { kind: "reaction", emoji, on: true }, path, { method: "PUT" });
  }

  unreact(roomId: RoomId, id: MessageId, emoji: string): Promise<void> {
    const path = `/reactions/${encodeURIComponent(emoji)}`;
    return this.change(roomId, id, { kind: "reaction", emoji, on: false }, path, { method: "DELETE" });
  }

  private async change(
    roomId: RoomId,
    id: MessageId,
    change: OptimisticChange["change"],
    path: string,
    call: CallOptions,
  ): Promise<void> {
    const log = this.store.state().rooms.get(roomId)?.log;
    const message = log === undefined ? undefined : messageOfId(log, id);
    if (message === undefined) throw new Problem("not_found", "this device does not hold the message");
    const wanted: OptimisticChange = {
      token: ++this.lastToken,
      roomId,
      messageId: id,
      seq: message.seq,
      change,
    };
    const pending =
      this.store
        .state()
        .optimistic.get(roomId)
        ?.some((other) => other.messageId === id) ?? false;
    if (!pending && settled(wanted, message)) return;
    this.store.dispatch({ type: "optimistic", change: wanted });
    const done = () => this.store.dispatch({ type: "optimistic-done", roomId, token: wanted.token });
    try {
      const base = `/rooms/${encodeURIComponent(roomId)}/messages/${encodeURIComponent(id)}`;
      const answer = await this.http.callMaybe(decoders.message, base + path, call);
      if (answer !== null) this.store.dispatch({ type: "message", message: answer });
    } catch (problem) {
      done();
      throw problem;
    }
    // Its event ends it; should the event be late, it must not stay for ever.
    this.world.setTimer(done, eventTimeoutMs);
  }
}
