import { describe, expect, test } from "vitest";
import type { MessageId } from "../protocol/ids";
import { settle, until } from "../testing/fake-clock";
import { bodies, rows, scene } from "../testing/scene";

describe("the outbox", () => {
  test("a message is on the screen at once, then durable, then numbered, as one row all along", async () => {
    const { browser, room } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    const id = page.sync.messages.send(room.id, { body: "hello" });
    expect(rows(page, room.id).at(-1)).toBe("hello (sending)");
    expect(page.sync.views.timeline(room.id).items.indexOfKey(id)).toBeGreaterThan(-1);
    await until(() => rows(page, room.id).at(-1) === "hello");
    expect(page.sync.views.timeline(room.id).items.indexOfKey(id)).toBeGreaterThan(-1);
    expect(page.sync.views.outbox(room.id)).toEqual([]);
  });

  // Promise (SCREENS): the ack removes the clock, the event the pending row, whichever comes first.
  test("ack before event shows the message as sent until its place is known", async () => {
    const { server, browser, room } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    server.loses = (frame) => frame.type === "event";
    page.sync.messages.send(room.id, { body: "hello" });
    await until(() => rows(page, room.id).at(-1) === "hello (sent)");
    server.loses = () => false;
    await server.clock.advance(5_000);
    expect(rows(page, room.id).filter((row) => row.startsWith("hello"))).toEqual(["hello"]);
  });

  // Promise (PROTOCOL §1): an id sent any number of times is one message.
  test("an ack that is lost leads to a resend, and one message", async () => {
    const { server, browser, room } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    server.loses = (frame) => frame.type === "ack" || frame.type === "event";
    page.sync.messages.send(room.id, { body: "hello" });
    await until(() => server.sends.length === 1);
    expect(server.sends[0]!.resend).toBeUndefined();
    server.loses = () => false;
    server.cut();
    await server.clock.advance(2_000);
    await until(() => page.sync.views.outbox(room.id).length === 0);
    expect(bodies(page, room.id)).toEqual(["hello"]);
    expect(room.messagesAsOf(room.head).map((message) => message.body)).toEqual(["hello"]);
  });

  test("an ack that never comes over a living line is asked for again with the same id", async () => {
    const { server, browser, room } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    server.loses = (frame) => frame.type === "ack" || frame.type === "event";
    page.sync.messages.send(room.id, { body: "hello" });
    await until(() => server.sends.length === 1);
    server.loses = () => false;
    await server.clock.advance(20_000);
    expect(server.sends.map(({ id, resend }) => ({ id, resend }))).toEqual([
      { id: server.sends[0]!.id, resend: undefined },
      { id: server.sends[0]!.id, resend: true },
    ]);
    expect(page.sync.views.outbox(room.id)).toEqual([]);
  });

  test("what is written offline waits, survives a reload, and goes out in order", async () => {
    const { server, browser, room } = scene();
    const first = await browser.openPage();
    server.reachable = false;
    server.cut();
    first.setOnline(false);
    await settle();
    for (const body of ["one", "two", "three"]) first.sync.messages.send(room.id, { body });
    await settle();
    expect(rows(first, room.id)).toEqual(["one (waiting)", "two (waiting)", "three (waiting)"]);
    expect(first.sync.views.connection()).toMatchObject({ status: "offline", waiting: 3 });
    await first.close();

    const second = await browser.openPage();
    await until(() => second.sync.views.outbox(room.id).length === 3);
    expect(rows(second, room.id)).toEqual(["one (waiting)", "two (waiting)", "three (waiting)"]);
    server.reachable = true;
    second.sync.retryNow();
    await server.clock.advance(60_000);
    expect(room.messagesAsOf(room.head).map((message) => message.body)).toEqual(["one", "two", "three"]);
    expect(second.sync.views.outbox(room.id)).toEqual([]);
  });

  test("a page that dies in the middle of sending leaves the message to the next one, once", async () => {
    const { server, browser, room } = scene();
    const first = await browser.openPage();
    server.loses = (frame) => frame.type !== "ready";
    first.sync.messages.send(room.id, { body: "hello" });
    await until(() => server.sends.length === 1);
    await first.crash();
    server.loses = () => false;

    const second = await browser.openPage();
    second.sync.timeline.open(room.id);
    await until(() => server.sends.length === 2);
    expect(server.sends[1]).toMatchObject({ id: server.sends[0]!.id, resend: true });
    await until(() => second.sync.views.outbox(room.id).length === 0);
    await until(() => bodies(second, room.id).length === 1);
    expect(room.messagesAsOf(room.head)).toHaveLength(1);
  });

  test("a room has one message in flight, so that a refusal does not reorder those behind it", async () => {
    const { server, browser, room } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    let refusals = 2;
    server.refuseSend = () =>
      refusals-- > 0 ? { code: "rate_limited", detail: "Slow down.", retry_after_ms: 4_000 } : null;
    page.sync.messages.send(room.id, { body: "one" });
    page.sync.messages.send(room.id, { body: "two" });
    await until(() => server.sends.length === 1);
    await settle();
    expect(rows(page, room.id).slice(-2)).toEqual(["one (waiting)", "two (waiting)"]);
    await server.clock.advance(3_900);
    expect(server.sends).toHaveLength(1);
    await server.clock.advance(5_000);
    expect(bodies(page, room.id)).toEqual(["one", "two"]);
    expect(server.sends.map(({ body }) => body)).toEqual(["one", "one", "one", "two"]);
  });

  test("a refusal says why, stays over a reload, lets the next one pass and gives the text back", async () => {
    const { server, browser, room } = scene();
    const first = await browser.openPage();
    server.refuseSend = ({ body }) =>
      body === "bad" ? { code: "muted", detail: "You are muted until noon." } : null;
    const id = first.sync.messages.send(room.id, { body: "bad" });
    first.sync.messages.send(room.id, { body: "good" });
    await until(() => server.sends.length === 2);
    await until(() => first.sync.views.outbox(room.id).length === 1);
    const refused = { id, state: "refused", problem: { code: "muted", detail: "You are muted until noon." } };
    expect(first.sync.views.outbox(room.id)).toMatchObject([refused]);
    await first.close();

    const second = await browser.openPage();
    await until(() => second.sync.views.outbox(room.id).length === 1);
    expect(second.sync.views.outbox(room.id)).toMatchObject([refused]);
    expect(server.sends).toHaveLength(2);
    expect(second.sync.messages.takeBack(id)).toEqual({ text: "bad", replyTo: null });
    expect(second.sync.views.outbox(room.id)).toEqual([]);
    await settle();
    await second.close();

    const third = await browser.openPage();
    await settle();
    expect(third.sync.views.outbox(room.id)).toEqual([]);
  });

  // PROTOCOL §1: in a cluster a conflict may come after the ack, and then is the last word.
  test("an error after the ack takes the ack back", async () => {
    const { server, browser, mina, room } = scene();
    server.acksWithSeq = false;
    server.loses = (frame) => frame.type === "event";
    const page = await browser.openPage();
    const id = page.sync.messages.send(room.id, { body: "hello" });
    await until(() => page.sync.views.outbox(room.id)[0]?.state === "sent");
    server.tell(mina.id, { type: "error", id, code: "conflict", detail: "Another message has this id." });
    await until(() => page.sync.views.outbox(room.id)[0]?.state === "refused");
  });

  test("a frame that is too large for the server is refused instead of being sent for ever", async () => {
    const { server, browser, room } = scene();
    const page = await browser.openPage();
    server.loses = (frame) => frame.type === "ack" || frame.type === "event";
    page.sync.messages.send(room.id, { body: "x".repeat(70_000) });
    await until(() => server.sends.length === 1);
    server.cut(4413);
    await server.clock.advance(3_000);
    expect(page.sync.views.outbox(room.id)).toMatchObject([
      { state: "refused", problem: { code: "too_large" } },
    ]);
    expect(server.sends).toHaveLength(1);
  });

  test("an acked message whose event is lost with the connection is found again by its number", async () => {
    const { server, browser, room } = scene();
    server.acksWithSeq = false;
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    server.loses = (frame) => frame.type === "event";
    page.sync.messages.send(room.id, { body: "hello" });
    await until(() => page.sync.views.outbox(room.id)[0]?.state === "sent");
    await page.crash();
    server.loses = () => false;
    server.acksWithSeq = true;
    const next = await browser.openPage();
    next.sync.timeline.open(room.id);
    await server.clock.advance(5_000);
    expect(next.sync.views.outbox(room.id)).toEqual([]);
    expect(bodies(next, room.id)).toEqual(["hello"]);
  });

  test("of several pages one sends, the others show; when it dies another takes over", async () => {
    const { server, browser, room } = scene();
    const first = await browser.openPage();
    const second = await browser.openPage();
    for (const page of [first, second]) page.sync.timeline.open(room.id);
    await settle();
    server.loses = (frame) => frame.type === "ack" || frame.type === "event";
    second.sync.messages.send(room.id, { body: "from the second" });
    await until(() => first.sync.views.outbox(room.id).length === 1);
    await until(() => server.sends.length === 1);
    expect(rows(first, room.id).at(-1)).toBe("from the second (sending)");
    server.loses = () => false;
    await first.crash();
    await until(() => server.sends.length === 2);
    expect(server.sends[1]).toMatchObject({ id: server.sends[0]!.id, resend: true });
    // Its event was lost for this page; the number in the ack says that something is missing.
    await server.clock.advance(4_000);
    expect(bodies(second, room.id)).toEqual(["from the second"]);
    expect(second.sync.views.outbox(room.id)).toEqual([]);
    expect(room.messagesAsOf(room.head)).toHaveLength(1);
  });

  test("without locks every page sends what it has, and the server drops the repeats", async () => {
    const { server, browser, room } = scene({ locks: false });
    const first = await browser.openPage();
    const second = await browser.openPage();
    second.sync.messages.send(room.id, { body: "hello" });
    await server.clock.advance(1_000);
    expect(new Set(server.sends.map(({ id }) => id)).size).toBe(1);
    expect(room.messagesAsOf(room.head)).toHaveLength(1);
    for (const page of [first, second]) expect(page.sync.views.outbox(room.id)).toEqual([]);
  });

  test("a message discarded before it is saved is never sent", async () => {
    const { server, browser, room } = scene();
    const page = await browser.openPage();
    const id = page.sync.messages.send(room.id, { body: "no" });
    page.sync.messages.discard(id);
    await server.clock.advance(1_000);
    expect(server.sends).toEqual([]);
    await page.close();
    const next = await browser.openPage();
    await settle();
    expect(next.sync.views.outbox(room.id)).toEqual([]);
  });

  test("ids are UUIDv7: they carry the time and sort by it", async () => {
    const { server, browser, room } = scene();
    const page = await browser.openPage();
    const ids: MessageId[] = [];
    for (let i = 0; i < 3; i++) {
      ids.push(page.sync.messages.send(room.id, { body: `${i}` }));
      await server.clock.advance(5);
    }
    for (const id of ids)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect([...ids].sort()).toEqual(ids);
    expect(Number.parseInt(ids[0]!.replaceAll("-", "").slice(0, 12), 16)).toBeLessThanOrEqual(
      server.clock.now(),
    );
  });
});
