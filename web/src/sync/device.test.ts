import { openDB } from "idb";
import { describe, expect, test, vi } from "vitest";
import type { RoomId, Seq } from "../protocol/ids";
import { settle, until } from "../testing/fake-clock";
import { fakeWorld } from "../testing/fake-browser";
import { bodies, expectTruth, rows, scene } from "../testing/scene";
import { Device, keptNumbersMax, type RoomChanges } from "./device";
import { messageEntry } from "./log";
import { newRecord } from "./room-record";
import { UrgentDrafts } from "./urgent-drafts";

describe("the device", () => {
  // Promise (SCREENS): a room opens at once from the device's copy.
  test("a reload without a network shows rooms, messages, drafts and counts as they were", async () => {
    const { server, browser, mina, jun, room, clock } = scene({ messages: 30 });
    const first = await browser.openPage();
    first.sync.timeline.open(room.id);
    await settle();
    first.sync.read.markRead(room.id, (room.head - 2) as Seq);
    first.sync.messages.setDraft(room.id, { text: "half a thou", replyTo: null });
    first.sync.timeline.setScrollAnchor(room.id, { seq: 12 as Seq, offsetPx: 40 });
    server.say(room, jun, "@mina the last one");
    await clock.advance(1_000);
    await first.close();

    server.reachable = false;
    const second = await browser.openPage();
    expect(second.sync.views.session()).toMatchObject({ status: "signed-in", me: mina, confirmed: false });
    await until(() => second.sync.views.rooms().status === "ready");
    expect(second.sync.views.rooms().rooms).toMatchObject([
      { name: "general", unread: 3, members: 2, draft: true },
    ]);
    second.sync.timeline.open(room.id);
    await until(() => bodies(second, room.id).length === 31);
    expect(bodies(second, room.id).at(-1)).toBe("@mina the last one");
    expect(second.sync.views.draft(room.id).text).toBe("half a thou");
    expect(second.sync.timeline.scrollAnchor(room.id)).toEqual({ seq: 12, offsetPx: 40 });
    expectTruth(second, room);
  });

  test("a draft whose page went before the database had it is there, and is then the database's", async () => {
    const { browser, mina, room, clock } = scene({ messages: 3 });
    const drafts = new UrgentDrafts(mina.id);
    drafts.note(room.id, { text: "the last keys", replyTo: null });
    const page = await browser.openPage();
    await until(() => page.sync.views.draft(room.id).text === "the last keys");
    await clock.advance(1_000);
    expect(drafts.waiting()).toEqual([]);
    await page.close();

    const later = await browser.openPage();
    await until(() => later.sync.views.draft(room.id).text === "the last keys");

    // The same for a draft that was sent.
    drafts.note(room.id, null);
    const last = await browser.openPage();
    await until(() => last.sync.views.rooms().status === "ready");
    expect(last.sync.views.draft(room.id).text).toBe("");
  });

  test("a room that the device holds is opened without asking the server for messages", async () => {
    const { server, browser, room, jun, clock } = scene({ messages: 300 });
    const first = await browser.openPage();
    first.sync.timeline.open(room.id);
    await clock.advance(1_000);
    await first.close();
    server.say(room, jun, "missed");
    const old = room.messagesAsOf(room.head).at(-20)!;
    server.publish(room.edit(jun, old.seq, "edited while away"));
    browser.http.calls.length = 0;

    const second = await browser.openPage();
    second.sync.timeline.open(room.id);
    await clock.advance(100);
    expect(bodies(second, room.id).at(-1)).toBe("missed");
    expect(bodies(second, room.id)).toContain("edited while away");
    expectTruth(second, room);
    expect(browser.http.calls.filter((call) => call.includes("/messages"))).toEqual([]);
  });

  test("older messages come from the device first, then from the server, without a seam", async () => {
    const { browser, room, clock } = scene({ messages: 400 });
    const first = await browser.openPage();
    first.sync.read.markRead(room.id, room.head);
    first.sync.timeline.open(room.id);
    await clock.advance(1_000);
    for (let i = 0; i < 4; i++) await first.sync.timeline.loadOlder(room.id);
    await clock.advance(1_000);
    expect(bodies(first, room.id)).toHaveLength(250);
    await first.close();

    const second = await browser.openPage();
    second.sync.timeline.open(room.id);
    await clock.advance(100);
    browser.http.calls.length = 0;
    await second.sync.timeline.loadOlder(room.id);
    expect(bodies(second, room.id)).toHaveLength(250);
    expect(browser.http.calls).toEqual([]);
    while (second.sync.views.timeline(room.id).older !== "end") await second.sync.timeline.loadOlder(room.id);
    expect(browser.http.calls.length).toBeGreaterThan(0);
    expect(bodies(second, room.id)).toHaveLength(400);
    expect(rows(second, room.id).some((row) => row.startsWith("(hole"))).toBe(false);
    expectTruth(second, room);
  });

  test("a page that dies loses at most what it had not saved, and never shows a stale message after", async () => {
    const { server, browser, room, jun, clock } = scene({ messages: 100 });
    const first = await browser.openPage();
    first.sync.timeline.open(room.id);
    await clock.advance(1_000);
    const old = room.messagesAsOf(room.head).at(-5)!;
    server.publish(room.edit(jun, old.seq, "edited just before the crash"));
    await clock.advance(20);
    await first.crash();

    const second = await browser.openPage();
    second.sync.timeline.open(room.id);
    await clock.advance(100);
    expect(bodies(second, room.id)).toContain("edited just before the crash");
    expectTruth(second, room);
  });

  test("signing out deletes everything of the person, on every page", async () => {
    const { browser, room, clock } = scene({ messages: 5 });
    const first = await browser.openPage();
    const second = await browser.openPage();
    for (const page of [first, second]) page.sync.timeline.open(room.id);
    await clock.advance(1_000);
    await first.sync.session.signOut();
    await clock.advance(1_000);
    for (const page of [first, second]) {
      expect(page.sync.views.session()).toEqual({ status: "signed-out", reason: "none" });
    }
    expect((await indexedDB.databases()).map(({ name }) => name)).toEqual(["blabber-hive"]);
    const third = await browser.openPage();
    expect(third.sync.views.session()).toEqual({ status: "signed-out", reason: "none" });
  });

  test("without a database everything works, and nothing is kept", async () => {
    const { server, browser, room, jun, clock } = scene({ messages: 5 });
    vi.stubGlobal("indexedDB", {
      open: () => {
        throw new DOMException("not allowed", "SecurityError");
      },
    });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await until(() => bodies(page, room.id).length === 5);
    page.sync.messages.send(room.id, { body: "hello" });
    server.say(room, jun, "hi");
    await clock.advance(1_000);
    expect(bodies(page, room.id).slice(-2).sort()).toEqual(["hello", "hi"]);
    await page.sync.session.signOut();
    expect(page.sync.views.session()).toEqual({ status: "signed-out", reason: "none" });
    vi.unstubAllGlobals();
  });

  test("a database that never answers does not keep the page from starting", async () => {
    const { browser, room, clock } = scene({ messages: 5 });
    const real = indexedDB;
    vi.stubGlobal("indexedDB", {
      open: (name: string, version?: number) =>
        name === "blabber-hive" ? real.open(name, version) : new EventTarget(),
    });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await clock.advance(4_000);
    expect(bodies(page, room.id)).toHaveLength(5);
    vi.unstubAllGlobals();
  });

  test("a newer version of the page can upgrade the database under this one", async () => {
    const { browser, mina, room, clock } = scene({ messages: 5 });
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    await clock.advance(1_000);
    const upgraded = await openDB(`blabber-hive-${mina.id}`, 99);
    expect([...upgraded.objectStoreNames]).toContain("outbox");
    upgraded.close();
    page.sync.messages.send(room.id, { body: "still here" });
    await until(() => bodies(page, room.id).at(-1) === "still here");
  });
});

describe("saving rooms", () => {
  const { server } = fakeWorld();
  const jun = server.addUser("jun");

  /** A room of `count` messages, as changes to save. */
  function changesOf(count: number): { changes: RoomChanges; roomId: RoomId } {
    const room = server.addRoom("general", [jun]);
    for (let i = 0; i < count; i++) room.message(jun, `${room.id}-${i}` as never);
    const {
      log: _log,
      known: _known,
      ahead: _ahead,
      onDevice: _on,
      ...record
    } = newRecord(room.asMemberRoom(jun.id), jun.id);
    return {
      roomId: room.id,
      changes: {
        record,
        newest: null,
        openedAtMs: 1,
        basePosition: 0 as Seq,
        reset: false,
        entries: room.messagesAsOf(room.head).map(messageEntry),
        known: [{ from: 1 as Seq, to: room.head }],
      },
    };
  }

  test("a room is cut to its newest numbers, and what is cut is no longer known", async () => {
    const device = await Device.open(jun.id);
    const { roomId, changes } = changesOf(keptNumbersMax + 1_000);
    const [saved] = await device.saveRooms([changes], []);
    const head = changes.record.position;
    expect(saved!.known).toEqual([{ from: head - keptNumbersMax + 1, to: head }]);
    expect(await device.page(roomId, (head - keptNumbersMax) as Seq)).toBeNull();
    const page = await device.page(roomId, null);
    expect(page).toMatchObject({ to: head, position: head });
    expect(page!.entries.at(-1)!.seq).toBe(head);
    device.close();
  });

  test("of two pages that save, neither takes back what the other knows", async () => {
    const device = await Device.open(jun.id);
    const { roomId, changes } = changesOf(20);
    await device.saveRooms([changes], []);
    const behind: RoomChanges = {
      ...changes,
      record: { ...changes.record, position: 10 as Seq },
      entries: changes.entries.slice(0, 3),
      known: [],
    };
    const [saved] = await device.saveRooms([behind], []);
    expect(saved!.known).toEqual(changes.known);
    const { rooms } = await device.load();
    expect(rooms.find(({ id }) => id === roomId)!.position).toBe(changes.record.position);
    device.close();
  });

  test("numbers seen beyond a gap in what the device has seen do not move its position", async () => {
    const device = await Device.open(jun.id);
    const { roomId, changes } = changesOf(20);
    await device.saveRooms([{ ...changes, record: { ...changes.record, position: 5 as Seq } }], []);
    await device.saveRooms([{ ...changes, basePosition: 12 as Seq }], []);
    const { rooms } = await device.load();
    expect(rooms.find(({ id }) => id === roomId)!.position).toBe(5);
    device.close();
  });
});
