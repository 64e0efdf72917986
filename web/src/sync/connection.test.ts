import { describe, expect, test } from "vitest";
import type { Seq } from "../protocol/ids";
import { settle, until } from "../testing/fake-clock";
import { tokenLifeMs } from "../testing/fake-server";
import { bodies, expectTruth, rows, scene } from "../testing/scene";

describe("the connection", () => {
  test("it says how far each open room is, and gets exactly what is missing", async () => {
    const { server, browser, mina, jun, room } = scene({ messages: 3 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await until(() => bodies(page, room.id).length === 3);
    server.cut();
    await settle();
    server.say(room, jun, "while away");
    await server.clock.advance(1_000);
    expect(bodies(page, room.id)).toEqual(["old 1", "old 2", "old 3", "while away"]);
    const auths = server.heard.filter((frame) => frame.type === "auth");
    expect(auths.at(-1)).toMatchObject({ positions: { [room.id]: room.head - 1 } });
    expect(server.isOnline(mina.id)).toBe(true);
  });

  test("attempts are spread ever wider, and people are told that they are offline after three", async () => {
    const { server, browser } = scene();
    const page = await browser.openPage();
    await settle();
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
    server.reachable = false;
    server.cut();
    await settle();
    expect(page.sync.views.connection().status).toBe("connecting");
    await server.clock.advance(10_000);
    expect(page.sync.views.connection()).toMatchObject({ status: "offline", waiting: 0 });
    server.reachable = true;
    page.sync.retryNow();
    await settle();
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
  });

  test("a line that is dead without a word is noticed by its silence", async () => {
    const { server, browser } = scene();
    const page = await browser.openPage();
    await settle();
    server.answersPings = false;
    await server.clock.advance(25_000);
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
    await server.clock.advance(10_000);
    expect(page.sync.views.connection().status).toBe("connecting");
    server.answersPings = true;
    await server.clock.advance(1_000);
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
  });

  test("a draining node is left when it says so, and nothing is missed", async () => {
    const { server, browser, jun, room } = scene({ messages: 2 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    const [old] = server.connections;
    server.drain(7_000);
    await server.clock.advance(6_900);
    server.say(room, jun, "still served");
    await settle();
    expect(bodies(page, room.id).at(-1)).toBe("still served");
    expect([...server.connections]).toContain(old);
    await server.clock.advance(200);
    expect([...server.connections]).not.toContain(old);
    expect(server.connections.size).toBe(1);
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
  });

  test("a node that goes earlier than it said is not rushed at: everybody keeps to their moment", async () => {
    const { server, browser } = scene();
    await browser.openPage();
    server.drain(20_000);
    await settle();
    server.cut(4503);
    await server.clock.advance(19_000);
    expect(server.connections.size).toBe(0);
    await server.clock.advance(1_100);
    expect(server.connections.size).toBe(1);
  });

  test("4401 renews the token and comes back", async () => {
    const { server, browser, jun, room } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    server.tokens.clear();
    server.cut(4401);
    await settle();
    server.say(room, jun, "meanwhile");
    await server.clock.advance(2_000);
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
    expect(page.sync.views.session()).toMatchObject({ status: "signed-in", confirmed: true });
    expect(bodies(page, room.id)).toEqual(["meanwhile"]);
  });

  test("4401 with a session that has ended signs out, and nothing is left on the device", async () => {
    const { server, browser, mina, room } = scene({ messages: 3 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await server.clock.advance(1_000);
    server.endSessions(mina.id);
    await server.clock.advance(3_000);
    expect(page.sync.views.session()).toEqual({ status: "signed-out", reason: "ended" });
    expect(page.sync.views.rooms()).toEqual({ status: "loading", rooms: [] });
    expect((await indexedDB.databases()).map(({ name }) => name)).toEqual(["blabber-hive"]);
  });

  test("a new token is told to the server before the old one ends, over the same socket", async () => {
    const { server, browser } = scene();
    await browser.openPage();
    const [connection] = server.connections;
    await server.clock.advance(tokenLifeMs);
    expect(server.heard.filter((frame) => frame.type === "auth").length).toBeGreaterThan(1);
    expect([...server.connections]).toEqual([connection]);
  });

  test("an address that is not allowed is said, and not tried for ever", async () => {
    const { server, browser } = scene();
    const page = await browser.openPage();
    server.cut(4403);
    await server.clock.advance(120_000);
    expect(page.sync.views.connection()).toMatchObject({ status: "refused" });
    expect(server.connections.size).toBe(0);
  });

  test("too many connections are not made worse by hurrying", async () => {
    const { server, browser } = scene();
    await browser.openPage();
    server.cut(4409);
    await server.clock.advance(29_000);
    expect(server.connections.size).toBe(0);
    await server.clock.advance(2_000);
    expect(server.connections.size).toBe(1);
  });
});

describe("gaps", () => {
  test("a lost event is asked for as soon as a later one shows the gap", async () => {
    const { server, browser, jun, room } = scene({ messages: 2 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    server.loses = (frame) => frame.type === "event";
    server.say(room, jun, "lost");
    const target = room.messagesAsOf(room.head)[0]!;
    server.publish(room.edit(jun, target.seq, "edited unseen"));
    server.loses = () => false;
    server.say(room, jun, "seen");
    await until(() => bodies(page, room.id).length === 4);
    expect(bodies(page, room.id)).toEqual(["edited unseen", "old 2", "lost", "seen"]);
    expectTruth(page, room);
  });

  test("a number for which the server has no event is void, and no hole", async () => {
    const { server, browser, jun, room } = scene({ messages: 1 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    room.voidNumber();
    server.say(room, jun, "after the void");
    await settle();
    expect(rows(page, room.id).slice(-2)).toEqual(["old 1", "after the void"]);
    expect(page.sync.views.completeness(room.id).upTo).toBe(room.head);
  });

  test("a repair that fails is tried again until it works", async () => {
    const { server, browser, jun, room } = scene({ messages: 1 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    const outage = { pattern: /changes/, code: "unavailable" as const };
    browser.http.failures.push(outage);
    server.loses = (frame) => frame.type === "event";
    server.say(room, jun, "lost");
    server.loses = () => false;
    server.say(room, jun, "seen");
    await server.clock.advance(5_000);
    expect(rows(page, room.id).some((row) => row.startsWith("(hole"))).toBe(true);
    browser.http.failures.length = 0;
    await server.clock.advance(10_000);
    expect(bodies(page, room.id)).toEqual(["old 1", "lost", "seen"]);
  });

  test("an answer that is overtaken by events changes nothing that they said", async () => {
    const { server, browser, jun, room } = scene({ messages: 200 });
    const page = await browser.openPage();
    const held = browser.http.hold(/messages/);
    page.sync.timeline.open(room.id);
    await until(() => held.waiting > 0);
    const old = room.messagesAsOf(room.head).at(-3)!;
    server.publish(room.edit(jun, old.seq, "edited"));
    server.publish(room.remove(jun, room.messagesAsOf(room.head).at(-1)!.seq));
    server.say(room, jun, "newest");
    await server.clock.advance(20);
    held.release();
    await settle();
    expect(bodies(page, room.id).slice(-4)).toEqual(["edited", "old 199", "", "newest"]);
    expectTruth(page, room);
  });

  test("a reset of a modest hole is paged through: nothing is dropped, old edits are seen", async () => {
    const { server, browser, jun, room } = scene({ messages: 60 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    const first = room.messagesAsOf(room.head).at(-40)!;
    server.cut();
    for (let i = 0; i < 1_200; i++) room.message(jun, `bulk-${i}` as never, { body: `bulk ${i}` });
    room.edit(jun, first.seq, "edited while away");
    room.remove(jun, (first.seq + 1) as Seq);
    await server.clock.advance(3_000);
    expect(bodies(page, room.id)).toHaveLength(1_260);
    expect(bodies(page, room.id)).toContain("edited while away");
    expectTruth(page, room);
  });

  test("a reset of a vast hole begins the room again at its newest page", async () => {
    const { server, browser, jun, room } = scene({ messages: 60 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await server.clock.advance(1_000);
    const seen = room.messagesAsOf(room.head).at(-1)!;
    server.cut();
    for (let i = 0; i < 6_000; i++) room.message(jun, `bulk-${i}` as never, { body: `bulk ${i}` });
    room.edit(jun, seen.seq, "edited while away");
    await server.clock.advance(3_000);
    expect(bodies(page, room.id)).toHaveLength(50);
    expect(bodies(page, room.id).at(-1)).toBe("bulk 5999");
    expect(page.sync.views.completeness(room.id).upTo).toBe(room.head);
    expectTruth(page, room);
    // Jumping back to what was held before shows it as it is now.
    await page.sync.timeline.loadAround(room.id, seen.seq);
    expect(bodies(page, room.id)).toContain("edited while away");
    server.say(room, jun, "live again");
    await settle();
    expect(bodies(page, room.id).at(-1)).toBe("live again");
  });

  test("leaving or being removed ends a room at once", async () => {
    const { server, browser, mina, room } = scene({ messages: 3 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await server.clock.advance(1_000);
    server.leave(room, mina.id, "removed");
    await settle();
    expect(page.sync.views.room(room.id)).toEqual({ status: "absent" });
    await server.clock.advance(1_000);
    server.join(room, mina.id);
    await settle();
    expect(page.sync.views.room(room.id).status).toBe("ready");
    await until(() => bodies(page, room.id).length === 3);
    expectTruth(page, room);
  });
});
