import { describe, expect, test } from "vitest";
import type { RoomId, Seq } from "../protocol/ids";
import { settle } from "../testing/fake-clock";
import { scene } from "../testing/scene";
import type { MoodChange } from "./sync";

/** Mina's page at a room with two messages, and what it is told about moods. */
async function listening() {
  const world = scene({ messages: 2 });
  const page = await world.browser.openPage();
  page.sync.timeline.open(world.room.id);
  await settle();
  const changes: MoodChange[] = [];
  const stop = page.sync.onMoodChange((change) => changes.push(change));
  const [first] = world.room.messagesAsOf(world.room.head);
  return { ...world, page, changes, stop, first: first! };
}

describe("moods", () => {
  test("come, are taken away by an edit and a deletion, and each is told with its message", async () => {
    const { server, clock, room, jun, changes, first } = await listening();
    server.publish(room.mood(first.seq, 0.8));
    await clock.advance(20);
    server.publish(room.edit(jun, first.seq, "another word"));
    await clock.advance(20);
    server.publish(room.remove(jun, first.seq));
    await clock.advance(20);
    expect(changes.map(({ messages }) => messages?.map(({ sentiment }) => sentiment?.label ?? null))).toEqual(
      [["positive"], [null], [null]],
    );
    expect(changes.every(({ roomId }) => roomId === room.id)).toBe(true);
  });

  test("new messages and reactions say nothing about them", async () => {
    const { server, clock, room, jun, changes, first } = await listening();
    server.say(room, jun, "a new one");
    server.publish(room.react(jun, first.seq, "🎉", true));
    await clock.advance(20);
    expect(changes).toEqual([]);
  });

  test("that were missed are told after the next connection, one by one or all at once", async () => {
    const { server, clock, room, changes, first, stop } = await listening();
    server.reachable = false;
    server.cut();
    await clock.advance(20);
    room.mood(first.seq, -0.8);
    server.reachable = true;
    await clock.advance(60_000);
    expect(changes.flatMap(({ messages }) => messages ?? []).map(({ id }) => id)).toContain(first.id);

    changes.length = 0;
    server.cut();
    for (let i = 0; i < 1_100; i++) room.mood(first.seq, 1);
    await clock.advance(60_000);
    expect(changes.length).toBeGreaterThan(0);

    changes.length = 0;
    stop();
    server.publish(room.mood(first.seq, 1));
    await clock.advance(20);
    expect(changes).toEqual([]);
  });

  test("an edit of mine hides the old mood before the server has the new words", async () => {
    const { server, browser, clock, page, room, mina } = await listening();
    const mine = server.say(room, mina, "lovely");
    server.publish(room.mood(mine.seq, 0.9));
    await clock.advance(20);
    const shown = () => {
      const { items } = page.sync.views.timeline(room.id);
      const item = items.at(items.indexOfSeq(mine.seq));
      return item?.kind === "message" ? item.message : null;
    };
    expect(shown()?.sentiment?.label).toBe("positive");
    // Neither the answer nor the event is here yet.
    const held = browser.http.hold(/^PATCH .*messages/);
    server.loses = (frame) => frame.type === "event";
    void page.sync.messages.edit(room.id, mine.id, "awful");
    await settle();
    expect(shown()).toMatchObject({ body: "awful", sentiment: null });
    held.release();
  });

  test("of a room over time are asked for by stretch and time zone", async () => {
    const { browser, page, room, first } = await listening();
    room.mood(first.seq, 0.5);
    const query = {
      from: "2026-11-23T00:00:00.000Z",
      to: "2026-11-24T00:00:00.000Z",
      bucket: "hour",
      tz: "Asia/Seoul",
    } as const;
    const { buckets } = await page.sync.api.roomMood(room.id, query);
    expect(buckets).toMatchObject([
      { positive: 1, neutral: 0, negative: 0, mean: 0.5, first_seq: first.seq, last_seq: first.seq },
    ]);
    expect(browser.http.calls.at(-1)).toContain("bucket=hour&tz=Asia%2FSeoul");
    await expect(page.sync.api.roomMood("nowhere" as RoomId, query)).rejects.toMatchObject({
      code: "not_found",
    });
    const older = await page.sync.api.listMessages(room.id, { before: (first.seq + 1) as Seq, limit: 10 });
    expect(older.messages.map(({ id }) => id)).toEqual([first.id]);
  });
});
