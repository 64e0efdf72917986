import { describe, expect, test } from "vitest";
import type { Seq } from "../protocol/ids";
import type { FakePage } from "../testing/fake-browser";
import { settle, until } from "../testing/fake-clock";
import type { FakeRoom } from "../testing/fake-room";
import { bodies, scene } from "../testing/scene";
import type { Arrival } from "./sync";

const summary = (page: FakePage) => page.sync.views.rooms().rooms[0]!;

const shown = (page: FakePage, room: FakeRoom, seq: Seq) => {
  const { items } = page.sync.views.timeline(room.id);
  const item = items.at(items.indexOfSeq(seq));
  if (item?.kind !== "message") throw new Error(`no message with number ${seq}`);
  return item;
};

describe("reading", () => {
  test("unread and mentions follow the events, also of a room that was never opened", async () => {
    const { server, browser, mina, jun, room, clock } = scene({ messages: 3 });
    const page = await browser.openPage();
    expect(summary(page)).toMatchObject({ unread: 3, mentions: 0 });
    const seen = server.say(room, jun, "@mina look", { mentions: [mina.id] });
    server.say(room, mina, "my own, from my telephone");
    await clock.advance(20);
    expect(summary(page)).toMatchObject({ unread: 4, mentions: 1 });
    server.publish(room.remove(jun, seen.seq));
    await clock.advance(20);
    expect(summary(page)).toMatchObject({ unread: 3, mentions: 0 });
    server.publish(room.remove(jun, room.messagesAsOf(room.head)[0]!.seq));
    await clock.advance(20);
    expect(summary(page)).toMatchObject({ unread: 2, mentions: 0 });
    expect(summary(page).unread).toBe(room.unread(mina.id).unread);
  });

  test("counts stop at a hundred", async () => {
    const { server, browser, jun, room, clock } = scene({ messages: 99 });
    const page = await browser.openPage();
    for (let i = 0; i < 5; i++) server.say(room, jun, "more");
    await clock.advance(20);
    expect(summary(page).unread).toBe(100);
  });

  test("what I read counts here at once, and is told to the server once a second", async () => {
    const { server, browser, mina, room, clock } = scene({ messages: 10 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    expect(page.sync.views.timeline(room.id).firstUnreadSeq).toBe(2);
    const told = () => server.heard.filter((frame) => frame.type === "read").map(({ seq }) => seq as number);
    for (const seq of [6, 7, 8, 9, 10]) page.sync.read.markRead(room.id, seq as Seq);
    expect(summary(page).unread).toBe(3);
    expect(told()).toEqual([6]);
    await clock.advance(1_000);
    expect(told()).toEqual([6, 10]);
    expect(room.mark(mina.id).read_seq).toBe(10);
    // The "New" line stays where it was when the room was opened.
    expect(page.sync.views.timeline(room.id).firstUnreadSeq).toBe(2);
  });

  test("a room that is about to be opened says where its line will be", async () => {
    const { server, browser, jun, room, clock } = scene({ messages: 3 });
    const page = await browser.openPage();
    const close = page.sync.timeline.open(room.id);
    await settle();
    page.sync.read.markRead(room.id, room.head);
    close();
    expect(page.sync.views.timeline(room.id).firstUnreadSeq).toBeNull();
    const { seq } = server.say(room, jun, "while you were elsewhere");
    await clock.advance(20);
    expect(page.sync.views.timeline(room.id).firstUnreadSeq).toBe(seq);
    page.sync.timeline.open(room.id);
    page.sync.read.markRead(room.id, seq);
    expect(page.sync.views.timeline(room.id).firstUnreadSeq).toBe(seq);
  });

  test("what was read while offline is told with the next connection", async () => {
    const { server, browser, mina, room, clock } = scene({ messages: 10 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    server.reachable = false;
    server.cut();
    await settle();
    page.sync.read.markRead(room.id, room.head);
    expect(summary(page).unread).toBe(0);
    await clock.advance(1_000);
    await page.close();
    server.reachable = true;
    const next = await browser.openPage();
    await clock.advance(2_000);
    expect(summary(next).unread).toBe(0);
    expect(room.mark(mina.id).read_seq).toBe(room.head);
  });

  test("reading on another device empties the count here", async () => {
    const { server, browser, mina, room } = scene({ messages: 10 });
    const page = await browser.openPage();
    expect(summary(page).unread).toBe(10);
    server.markRead(mina.id, room.id, { seq: 8 as Seq });
    await settle();
    expect(summary(page).unread).toBe(room.unread(mina.id).unread);
  });

  test("what is marked unread stays so while the room is open", async () => {
    const { browser, mina, room, clock } = scene({ messages: 10 });
    const page = await browser.openPage();
    const close = page.sync.timeline.open(room.id);
    await settle();
    page.sync.read.markRead(room.id, room.head);
    await clock.advance(1_000);
    await page.sync.read.markUnreadFrom(room.id, 9 as Seq);
    expect(summary(page).unread).toBe(5);
    expect(page.sync.views.timeline(room.id).firstUnreadSeq).toBe(9);
    page.sync.read.markRead(room.id, room.head);
    expect(summary(page).unread).toBe(5);
    expect(room.unread(mina.id).unread).toBe(5);
    close();
    page.sync.timeline.open(room.id);
    page.sync.read.markRead(room.id, room.head);
    await clock.advance(1_000);
    expect(summary(page).unread).toBe(0);
    expect(room.mark(mina.id).unread_from).toBeNull();
  });

  test("a mark that the server refuses is taken back", async () => {
    const { browser, room, clock } = scene({ messages: 10 });
    const page = await browser.openPage();
    page.sync.read.markRead(room.id, room.head);
    await clock.advance(1_000);
    browser.http.failures.push({ pattern: /\/read/, code: "unavailable" });
    await expect(page.sync.read.markUnreadFrom(room.id, 5 as Seq)).rejects.toMatchObject({
      code: "unavailable",
    });
    expect(summary(page).unread).toBe(0);
  });

  test("arrivals are told to one page, live, once, and never my own", async () => {
    const { server, browser, mina, jun, room, clock } = scene({ messages: 3 });
    const pages = [await browser.openPage(), await browser.openPage()];
    const arrivals: Arrival[] = [];
    for (const page of pages) page.sync.onArrival((arrival) => arrivals.push(arrival));
    server.say(room, jun, "@mina hi", { mentions: [mina.id] });
    server.say(room, mina, "mine");
    await clock.advance(20);
    expect(arrivals).toMatchObject([{ roomId: room.id, body: "@mina hi", mentionsMe: true }]);
    server.cut();
    await settle();
    server.say(room, jun, "missed");
    await clock.advance(2_000);
    expect(arrivals).toHaveLength(1);
  });
});

describe("a mood", () => {
  test("is nothing new: no count, no sound, no other place in the list, and no row", async () => {
    const { server, browser, jun, room, clock } = scene({ messages: 3, moods: true });
    const page = await browser.openPage();
    const arrivals: Arrival[] = [];
    page.sync.onArrival((arrival) => arrivals.push(arrival));
    const close = page.sync.timeline.open(room.id);
    await settle();
    page.sync.read.markRead(room.id, room.head);
    close();
    const { seq } = server.say(room, jun, "lovely");
    await clock.advance(20);
    const before = { ...summary(page), lastMessage: null };
    const total = page.sync.views.unreadTotal();
    server.publish(room.mood(seq, 0.6));
    await clock.advance(20);
    expect({ ...summary(page), lastMessage: null }).toEqual(before);
    expect(page.sync.views.unreadTotal()).toBe(total);
    expect(total).toEqual({ unread: 1, mentions: 0 });
    expect(arrivals).toHaveLength(1);
    // Nor does one make an open room unread.
    page.sync.timeline.open(room.id);
    page.sync.read.markRead(room.id, room.head);
    server.publish(room.mood(seq, -0.6));
    await clock.advance(20);
    expect(summary(page).unread).toBe(0);
    expect(page.sync.views.completeness(room.id)).toMatchObject({
      upTo: room.head,
      head: room.head,
      holes: 0,
    });
    expect(bodies(page, room.id)).toEqual(["old 1", "old 2", "old 3", "lovely"]);
  });

  test("is read without a word to the server, which hears of the next message", async () => {
    const { server, browser, mina, jun, room, clock } = scene({ messages: 3, moods: true });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await settle();
    const told = () => server.heard.filter((frame) => frame.type === "read").map(({ seq }) => seq as number);
    const read = async () => {
      page.sync.read.markRead(room.id, room.head);
      await clock.advance(2_000);
      return told().at(-1);
    };
    const spoken = room.head;
    expect(await read()).toBe(spoken);
    server.publish(room.mood(spoken, 0.6));
    await clock.advance(20);
    expect(await read()).toBe(spoken);
    const state = page.sync.views.room(room.id);
    expect(state.status === "ready" && state.room.readSeq).toBe(room.head);
    const { seq } = server.say(room, jun, "and now?");
    server.publish(room.mood(seq, 0));
    await clock.advance(20);
    expect(await read()).toBe(room.head);
    expect(room.mark(mina.id).read_seq).toBe(room.head);
  });
});

describe("changes to messages", () => {
  test("an edit, a reaction and a deletion are shown at once and confirmed by their events", async () => {
    const { server, browser, mina, room, clock } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    const { id, seq } = server.say(room, mina, "helo");
    await clock.advance(20);
    const edited = page.sync.messages.edit(room.id, id, "hello");
    expect(shown(page, room, seq)).toMatchObject({ pendingChange: "edit", message: { body: "hello" } });
    await edited;
    await clock.advance(20);
    expect(shown(page, room, seq)).toMatchObject({ pendingChange: null, message: { body: "hello" } });

    const reacted = page.sync.messages.react(room.id, id, "🎉");
    expect(shown(page, room, seq).message.reactions).toMatchObject([{ emoji: "🎉", count: 1, me: true }]);
    await reacted;
    await clock.advance(20);
    expect(shown(page, room, seq)).toMatchObject({ pendingChange: null });
    expect(shown(page, room, seq).message.reactions).toMatchObject([{ emoji: "🎉", count: 1, me: true }]);
    await page.sync.messages.unreact(room.id, id, "🎉");
    await clock.advance(20);
    expect(shown(page, room, seq).message.reactions).toEqual([]);

    const removed = page.sync.messages.remove(room.id, id);
    expect(shown(page, room, seq).message.deleted_at).not.toBeNull();
    await removed;
    await clock.advance(20);
    expect(shown(page, room, seq)).toMatchObject({ pendingChange: null, message: { body: "" } });
  });

  test("what the server refuses is shown as it was, and the reason is told", async () => {
    const { server, browser, jun, room, clock } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    const { id, seq } = server.say(room, jun, "not yours");
    await clock.advance(20);
    const edit = page.sync.messages.edit(room.id, id, "mine now");
    expect(shown(page, room, seq).message.body).toBe("mine now");
    await expect(edit).rejects.toMatchObject({ code: "forbidden" });
    expect(shown(page, room, seq)).toMatchObject({ pendingChange: null, message: { body: "not yours" } });
  });

  test("somebody's later change beats my unconfirmed one only where it must", async () => {
    const { server, browser, mina, jun, room, clock } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    const { id, seq } = server.say(room, mina, "hello");
    await clock.advance(20);
    const held = browser.http.hold(/reactions/);
    const reacted = page.sync.messages.react(room.id, id, "👍");
    server.publish(room.react(jun, seq, "👍", true));
    await clock.advance(20);
    expect(shown(page, room, seq).message.reactions).toMatchObject([{ emoji: "👍", count: 2, me: true }]);
    held.release();
    await reacted;
  });
});

describe("people", () => {
  test("typing is shown for five seconds or until they write, and sent every three", async () => {
    const { server, browser, jun, room, clock } = scene();
    const page = await browser.openPage();
    server.tell(page.sync.views.session().status === "signed-in" ? room.events[1]!.actor!.id : jun.id, {
      type: "typing",
      room_id: room.id,
      user: jun,
    });
    await settle();
    expect(page.sync.views.typing(room.id)).toMatchObject([{ username: "jun" }]);
    await clock.advance(5_000);
    expect(page.sync.views.typing(room.id)).toEqual([]);
    for (let i = 0; i < 5; i++) {
      page.sync.messages.typing(room.id);
      await clock.advance(1_000);
    }
    expect(server.heard.filter((frame) => frame.type === "typing")).toHaveLength(2);
  });

  test("members are loaded once and follow the events after that", async () => {
    const { server, browser, room, clock } = scene();
    const ada = server.addUser("ada");
    const page = await browser.openPage();
    await page.sync.loadMembers(room.id);
    expect(page.sync.views.members(room.id).members.map(({ user }) => user.username)).toEqual([
      "mina",
      "jun",
    ]);
    server.join(room, ada.id);
    await clock.advance(20);
    expect(page.sync.views.members(room.id).members.map(({ user }) => user.username)).toEqual([
      "mina",
      "ada",
      "jun",
    ]);
    expect(summary(page).members).toBe(3);
    server.leave(room, ada.id, "left");
    await clock.advance(20);
    expect(page.sync.views.members(room.id).members).toHaveLength(2);
    expect(summary(page).members).toBe(2);
  });

  test("a direct room knows who is at the other end, also where the server does not say", async () => {
    const { server, browser, jun } = scene();
    const page = await browser.openPage();
    const direct = await page.sync.api.openDirect(jun.id);
    await settle();
    expect(page.sync.views.room(direct.id)).toMatchObject({ room: { peer: { username: "jun" } } });
    expect(server.rooms.get(direct.id)!.members.size).toBe(2);
  });

  test("a room that I make is there with its first line when the call returns", async () => {
    const { browser } = scene();
    const page = await browser.openPage();
    const made = await page.sync.api.createRoom({ name: "new", visibility: "public" });
    expect(page.sync.views.room(made.id).status).toBe("ready");
    page.sync.timeline.open(made.id);
    await until(() => page.sync.views.timeline(made.id).status === "ready");
    expect(page.sync.views.timeline(made.id).items.at(0)).toMatchObject({ kind: "service" });
    expect(bodies(page, made.id)).toEqual([]);
    expect(page.sync.views.timeline(made.id).older).toBe("end");
  });
});
