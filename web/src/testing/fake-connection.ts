import type { ClientFrame, ServerFrame } from "../protocol/frames";
import type { RoomId, Seq, UserId } from "../protocol/ids";
import type { Event } from "../protocol/model";
import type { FakeServer } from "./fake-server";

/** The server's end of one socket. Frames go out as text, in order, each after the one before has been handled. */
export class FakeConnection {
  userId: UserId | null = null;
  private open = true;
  private held: string[] | null = null;
  /** Up to which number events of each room have gone out, so that none goes twice between catching up and live. */
  private readonly passedOn = new Map<RoomId, Seq>();

  constructor(
    private readonly server: FakeServer,
    private readonly send: (data: string) => void,
    private readonly closed: (code: number) => void,
  ) {}

  /** A frame from the client. */
  receive(data: string): void {
    if (this.open) this.server.hear(this, JSON.parse(data) as ClientFrame);
  }

  deliver(frame: ServerFrame): void {
    if (!this.open || this.server.loses(frame)) return;
    const data = JSON.stringify(frame);
    if (this.held !== null) this.held.push(data);
    else this.later(data);
  }

  deliverEvent(roomId: RoomId, event: Event): void {
    if (event.seq <= (this.passedOn.get(roomId) ?? 0)) return;
    this.passedOn.set(roomId, event.seq);
    this.deliver({ type: "event", event });
  }

  /** Keeps frames back until `release`, as a slow line does. */
  hold(): void {
    this.held ??= [];
  }

  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const data of held) this.later(data);
  }

  close(code: number): void {
    if (!this.open) return;
    this.open = false;
    this.server.connections.delete(this);
    queueMicrotask(() => this.closed(code));
  }

  private later(data: string): void {
    queueMicrotask(() => {
      if (this.open) this.send(data);
    });
  }
}
