import assert from "node:assert/strict";
import { Api } from "./support/api.mjs";
import { scenario } from "./support/scenario.mjs";
import { pointAtMessages, wheel } from "./support/scrolling.mjs";
import { gone, idsOnScreen, say, seen, timeline } from "./support/steps.mjs";
import { until } from "./support/wait.mjs";

const slackPx = 2;
const messages = 1500;

/** Rows of very different heights, as a conversation has them. */
const bodies = Array.from({ length: messages }, (_, index) => {
  const line = `Message number ${index}`;
  switch (index % 11) {
    case 3:
      return `${line}\n\n- one thing\n- another thing\n- and a third, which goes on for a while so that it breaks: ${"word ".repeat(60)}`;
    case 5:
      return `${line}\n\`\`\`js\nconst answer = ${index};\nfor (const word of words) console.log(word);\n\`\`\``;
    case 7:
      return `> quoted\n\n${line} ${"and so on ".repeat(index % 70)}`;
    case 9:
      return "🍯🐝";
    default:
      return line;
  }
});

/** A room of many messages, all written by somebody else. */
async function longRoom(world) {
  const api = await Api.signUp(world.origin, "mina", "Mina Park");
  const junApi = await Api.signUp(world.origin, "jun", "Jun Seo");
  const room = await api.makeRoom("archive");
  await junApi.join(room.id);
  await junApi.sendAll(room.id, bodies);
  return { api, junApi, room, history: await api.history(room.id) };
}

scenario("a long history scrolls without a jump", async (world) => {
  const { api, room, history } = await longRoom(world);
  await api.call("PUT", `/rooms/${room.id}/read`, { seq: history.at(-1).seq });
  const { page } = await world.person("mina", { api, path: `/rooms/${room.id}` });
  await seen(page.locator(`[data-message-id="${history.at(-1).id}"]`));

  // Up to the beginning, through page after page: what is under the eye moves by the wheel and by nothing else.
  await pointAtMessages(page);
  const met = new Set();
  let astrayPx = 0;
  const scroll = async (byPx) => {
    const step = await wheel(page, byPx);
    astrayPx = Math.max(astrayPx, step.astrayPx);
    for (const id of await idsOnScreen(page)) met.add(id);
    return step;
  };
  const beginning = page.getByText("This is where archive begins");
  await until(
    "the beginning of the room",
    async () => {
      await scroll(-1600);
      return (await beginning.isVisible()) && (await timeline(page).evaluate((log) => log.scrollTop <= 0));
    },
    150_000,
  );
  assert.equal(met.size, history.length, "every message came by");
  await seen(timeline(page).getByRole("heading", { name: "Today" }));

  // And down again a while, through what is held by now.
  for (let turn = 0; turn < 12; turn++) await scroll(1600);
  assert.ok(astrayPx <= slackPx, `the row under the eye jumped by ${astrayPx} px`);
});

scenario("what is not on the device is drawn, and filled when it is come to", async (world) => {
  const { api, junApi, room, history } = await longRoom(world);
  const firstUnread = history[500];
  await api.call("PUT", `/rooms/${room.id}/read`, { seq: firstUnread.seq - 1 });
  const { page } = await world.person("mina", { api, path: `/rooms/${room.id}` });

  // It opens where reading stopped; of what lies between there and the newest, it says how much is missing.
  await seen(timeline(page).getByRole("separator", { name: "New" }));
  await seen(page.locator(`[data-message-id="${firstUnread.id}"]`));
  const hole = timeline(page).getByText(/messages not loaded/);
  await pointAtMessages(page);

  // Without a network the hole stays, says that it could not be filled, and offers to try again.
  await page.context().setOffline(true);
  await world.guard.duringOutage(async () => {
    await until("the hole is in view", async () => {
      await wheel(page, 1200);
      return (await hole.count()) > 0 && (await hole.isVisible());
    });
    await seen(timeline(page).getByText("Could not load them."));
    await page.context().setOffline(false);
    const before = await idsOnScreen(page);
    await timeline(page).getByRole("button", { name: "Load", exact: true }).click();
    await until("rows come into the hole", async () => {
      const now = await idsOnScreen(page);
      return now.length !== before.length || now.some((id, index) => id !== before[index]);
    });
  });

  // The button leads to the newest, where what is said next is seen at once.
  await page.getByRole("button", { name: /new messages|Jump to the latest/ }).click();
  await seen(page.locator(`[data-message-id="${history.at(-1).id}"]`));
  await junApi.send(room.id, "The very newest");
  await seen(timeline(page).getByText("The very newest"));

  // Away from the bottom nothing moves when somebody writes; the button counts.
  for (let turn = 0; turn < 3; turn++) await wheel(page, -900);
  const eye = await idsOnScreen(page);
  await junApi.send(room.id, "Said while you looked elsewhere");
  await seen(page.getByRole("button", { name: "1 new message" }));
  assert.equal((await idsOnScreen(page))[0], eye[0]);
  await page.getByRole("button", { name: "1 new message" }).click();
  await seen(timeline(page).getByText("Said while you looked elsewhere"));
  await gone(page.getByRole("button", { name: /new message/ }));

  // Nothing is out of order anywhere.
  await say(page, "Read it all");
  const order = new Map(history.map(({ id, seq }) => [id, seq]));
  const seqs = (await idsOnScreen(page)).map((id) => order.get(id)).filter((seq) => seq !== undefined);
  assert.deepEqual(
    seqs,
    [...seqs].sort((a, b) => a - b),
  );
});
