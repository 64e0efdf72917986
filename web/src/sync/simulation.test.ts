import fc from "fast-check";
import { expect, test } from "vitest";
import type { MessageId, Seq } from "../protocol/ids";
import type { FakePage } from "../testing/fake-browser";
import { settle } from "../testing/fake-clock";
import type { HeldAnswers } from "../testing/fake-http";
import { expectTruth, rows, scene } from "../testing/scene";

/** One thing that happens, to the room, the network, the device or a page. */
const steps = fc.array(
  fc.record({
    kind: fc.constantFrom(
      ...["say", "say", "edit", "remove", "react", "mood", "void", "send", "send", "send"],
      ...["cut", "lose", "hold", "release", "slow line", "advance", "advance", "outage", "recover"],
      ...["crash", "reload", "second page", "close room", "open room", "older", "around", "many", "read"],
    ),
    which: fc.nat(1_000),
  }),
  { minLength: 10, maxLength: 50 },
);

type Step = { kind: string; which: number };

/** Runs a script against two pages of one browser, heals everything, and says what is left. */
async function run(script: readonly Step[], locks: boolean) {
  const world = scene({ messages: 5, locks });
  const { server, browser, clock, jun, room } = world;
  const sent = new Map<MessageId, string>();
  const held: HeldAnswers[] = [];
  const closers = new Map<FakePage, () => void>();
  const openRoom = (page: FakePage) => closers.set(page, page.sync.timeline.open(room.id));
  const pages: FakePage[] = [await browser.openPage()];
  openRoom(pages[0]!);

  for (const [i, { kind, which }] of script.entries()) {
    const page = pages[which % pages.length]!;
    const messages = room.messagesAsOf(room.head).filter((message) => message.deleted_at === null);
    const target = messages[which % Math.max(1, messages.length)];
    switch (kind) {
      case "say":
        server.say(room, jun, `said ${i}`);
        break;
      case "many":
        for (let n = 0; n < 30 + (which % 3) * 700; n++) room.message(jun, `many-${i}-${n}` as MessageId);
        break;
      case "edit":
        if (target) server.publish(room.edit(jun, target.seq, `edited ${i}`));
        break;
      case "remove":
        if (target && !sent.has(target.id)) server.publish(room.remove(jun, target.seq));
        break;
      case "react":
        if (target) server.publish(room.react(jun, target.seq, "👍", which % 2 === 0));
        break;
      case "mood":
        if (target) server.publish(room.mood(target.seq, 1));
        break;
      case "void":
        room.voidNumber();
        break;
      case "send": {
        const body = `mine ${i}`;
        sent.set(page.sync.messages.send(room.id, { body }), body);
        // What was not saved when a page dies was never promised; what is saved is.
        await settle();
        break;
      }
      case "cut":
        server.cut([1006, 4410, 4503, 4401][which % 4]);
        break;
      case "lose":
        server.loses = (frame) => frame.type === "event" || (frame.type === "ack" && which % 2 === 0);
        break;
      case "hold":
        held.push(browser.http.hold([/messages/, /changes/, /refresh/][which % 3]!));
        break;
      case "release":
        held.shift()?.release();
        break;
      case "slow line":
        for (const connection of server.connections) connection.hold();
        break;
      case "advance":
        server.loses = () => false;
        for (const connection of server.connections) connection.release();
        await clock.advance([20, 600, 4_000, 40_000][which % 4]!);
        break;
      case "outage":
        server.reachable = false;
        server.cut();
        break;
      case "recover":
        server.reachable = true;
        break;
      case "crash":
      case "reload": {
        await (kind === "crash" ? page.crash() : page.close());
        const next = await browser.openPage();
        pages[pages.indexOf(page)] = next;
        openRoom(next);
        break;
      }
      case "second page":
        if (pages.length < 2) {
          pages.push(await browser.openPage());
          openRoom(pages[1]!);
        }
        break;
      case "close room":
        closers.get(page)?.();
        break;
      case "open room":
        openRoom(page);
        break;
      case "older":
        void page.sync.timeline.loadOlder(room.id).catch(() => undefined);
        break;
      case "around":
        if (target) void page.sync.timeline.loadAround(room.id, target.seq).catch(() => undefined);
        break;
      case "read":
        page.sync.read.markRead(room.id, (which % (room.head + 1)) as Seq);
        break;
    }
    await settle();
  }

  server.reachable = true;
  server.loses = () => false;
  for (const answers of held) answers.release();
  for (const connection of server.connections) connection.release();
  for (const page of pages) openRoom(page);
  await clock.advance(120_000);
  // A number that was lost or void is noticed by the next one.
  server.say(room, jun, "the last word");
  await clock.advance(5_000);
  return { ...world, pages, sent };
}

async function expectWhole(script: readonly Step[], locks: boolean): Promise<void> {
  const { pages, room, sent, mina } = await run(script, locks);
  for (const page of pages) {
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
    expect(page.sync.views.outbox(room.id)).toEqual([]);
    expect(page.sync.views.timeline(room.id)).toMatchObject({
      status: "ready",
      newer: "end",
      head: room.head,
    });
    expect(page.sync.views.completeness(room.id).upTo).toBe(room.head);
    expectTruth(page, room);
    expect(rows(page, room.id).filter((row) => row.endsWith("(sending)"))).toEqual([]);
    const { unread } = room.unread(mina.id);
    expect(page.sync.views.rooms().rooms[0]!.unread).toBe(unread);
  }
  // Every message that was written is in the room once, and in the order of its ids where one page wrote them.
  const mine = room.messagesAsOf(room.head).filter((message) => sent.has(message.id));
  expect(mine.map((message) => message.id).sort()).toEqual([...sent.keys()].sort());
  for (const page of pages) await page.close();
}

// Promise (DESIGN): whatever dies, no message is lost, doubled or stale, and every page ends with the same screen.
test(
  "after any run of drops, cuts, crashes and overtaking, every page shows the truth",
  { timeout: 600_000 },
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, fc.boolean(), (script, locks) => expectWhole(script, locks)),
      { numRuns: Number(process.env.SIMULATION_RUNS ?? 20) },
    );
  },
);
