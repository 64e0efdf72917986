import type { Channel } from "../sync/world";

interface Request {
  page: number;
  grant: () => void;
}

/** The locks of one browser, shared by its pages; those of a page that dies are free again. */
export class FakeLocks {
  private readonly queues = new Map<string, Request[]>();

  /** The `LockManager` that one page sees. */
  of(page: number): LockManager {
    const request = async (
      name: string,
      options: LockOptions,
      work: (lock: Lock | null) => Promise<unknown>,
    ): Promise<unknown> => {
      const queue = this.queues.get(name) ?? [];
      this.queues.set(name, queue);
      const held: Request = { page, grant: () => undefined };
      await new Promise<void>((resolve, reject) => {
        const aborted = () => {
          this.leave(name, held);
          reject(new DOMException("aborted", "AbortError"));
        };
        held.grant = () => {
          options.signal?.removeEventListener("abort", aborted);
          resolve();
        };
        queue.push(held);
        options.signal?.addEventListener("abort", aborted);
        if (queue[0] === held) held.grant();
      });
      try {
        return await work({ name, mode: "exclusive" });
      } finally {
        this.leave(name, held);
      }
    };
    return { request, query: () => Promise.resolve({}) } as unknown as LockManager;
  }

  /** Frees what a dead page held or waited for. */
  releaseAll(page: number): void {
    for (const [name, queue] of this.queues) {
      for (const entry of queue.filter((request) => request.page === page)) this.leave(name, entry);
    }
  }

  private leave(name: string, entry: Request): void {
    const queue = this.queues.get(name) ?? [];
    const at = queue.indexOf(entry);
    if (at === -1) return;
    queue.splice(at, 1);
    if (at === 0) queue[0]?.grant();
  }
}

/** The broadcast channels of one browser: what a page posts, all others hear, a moment later. */
export class FakeChannels {
  private readonly members = new Map<string, Set<{ page: number; channel: Channel }>>();

  open(name: string, page: number): Channel {
    const members = this.members.get(name) ?? new Set();
    this.members.set(name, members);
    const channel: Channel = {
      onmessage: null,
      post: (message) => {
        const copy: unknown = structuredClone(message);
        for (const member of members) {
          if (member.channel !== channel) queueMicrotask(() => member.channel.onmessage?.(copy));
        }
      },
      close: () => {
        members.forEach((member) => {
          if (member.channel === channel) members.delete(member);
        });
      },
    };
    members.add({ page, channel });
    return channel;
  }

  /** What a dead page listened to. */
  closeAll(page: number): void {
    for (const members of this.members.values()) {
      for (const member of members) {
        if (member.page !== page) continue;
        member.channel.onmessage = null;
        members.delete(member);
      }
    }
  }
}
