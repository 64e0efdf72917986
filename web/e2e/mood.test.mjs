import assert from "node:assert/strict";
import { Api } from "./support/api.mjs";
import { phone, scenario } from "./support/scenario.mjs";
import { pointAtMessages, wheel } from "./support/scrolling.mjs";
import {
  act,
  composer,
  gone,
  message,
  openRoom,
  roomLink,
  say,
  seen,
  sidebar,
  timeline,
} from "./support/steps.mjs";
import { smallTargets } from "./support/small-targets.mjs";
import { settles, until } from "./support/wait.mjs";

/** Two people in a private room, which has no moods until its owner wants them. */
async function pair(world) {
  const minaApi = await Api.signUp(world.origin, "mina", "Mina Park");
  const junApi = await Api.signUp(world.origin, "jun", "Jun Seo");
  const room = await minaApi.makeRoom("design", { visibility: "private" });
  const { code } = await minaApi.invite(room.id);
  await junApi.call("POST", `/invites/${code}/accept`);
  return { room, minaApi, junApi };
}

const turnOn = (api, room) => api.call("PATCH", `/rooms/${room.id}`, { mood_enabled: true });

/** The marks of messages, which are there before anything else of the page knows of moods. */
const marks = (page) => timeline(page).getByRole("img", { name: /^Sounds / });
const markOf = (page, text, mood) => message(page, text).getByRole("img", { name: `Sounds ${mood}` });
const panelOf = (page) => page.getByRole("region", { name: "Mood" });

/** The bar of today, so that no test minds a clock that strikes. */
const today = (page) => panelOf(page).getByRole("option").last();

/** Shows days; the bar of today then says as much of each mood. */
async function counts(page, positive, neutral, negative) {
  const wanted = `${positive} positive, ${neutral} neutral, ${negative} negative`;
  await until(
    () => `the bar says ${wanted}`,
    async () => (await today(page).getAttribute("aria-label"))?.includes(wanted),
  );
}

async function fromMenu(page, name) {
  await page.getByRole("button", { name: "Room menu" }).click();
  await page.getByRole("menuitem", { name, exact: true }).click();
}

scenario("a room's owner turns its mood on, and it is seen as people talk", async (world) => {
  const { room, minaApi, junApi } = await pair(world);
  const { page: mina } = await world.person("mina", { api: minaApi, path: `/rooms/${room.id}` });
  const { page: jun } = await world.person("jun", { api: junApi, path: `/rooms/${room.id}` });
  await say(jun, "I love this room");
  await seen(message(mina, "I love this room"));
  await fromMenu(jun, "Room settings");
  await seen(jun.getByText("Only an owner can turn this on."));
  assert.equal(await jun.getByRole("switch").count(), 0, "it is the owner's choice");
  assert.equal(await mina.getByRole("button", { name: "Mood", exact: true }).count(), 0);

  await fromMenu(mina, "Room settings");
  await mina.getByRole("switch", { name: "Show how messages sound" }).click();
  await seen(jun.getByText("Only an owner can turn this off."));

  // Marks come to both, and take no place that was not kept for them.
  await say(mina, "This is wonderful, thank you so much!");
  await say(jun, "I hate this, it is terrible");
  for (const page of [mina, jun]) {
    await seen(markOf(page, "This is wonderful", "positive"));
    await seen(markOf(page, "I hate this", "negative"));
  }
  assert.deepEqual(await movedByMark(message(jun, "I hate this")), [0, 0]);

  // The panel shows them, and moves with what is said, corrected and deleted.
  await mina.getByRole("button", { name: "Mood", exact: true }).click();
  await panelOf(mina).getByRole("radio", { name: "Days" }).click();
  await counts(mina, 1, 0, 1);
  await say(jun, "What a lovely idea, great work");
  await counts(mina, 2, 0, 1);
  await today(mina).click();
  const lines = panelOf(mina).getByRole("listitem");
  await settles("how many messages are behind it", () => lines.count(), 3);
  await act(jun, message(jun, "I hate this"), "Edit");
  await jun.getByRole("textbox", { name: "Edit your message" }).fill("I adore this, it is fantastic");
  await jun.keyboard.press("Enter");
  await counts(mina, 3, 0, 0);
  await seen(lines.filter({ hasText: "I adore this" }));
  const { messages } = await junApi.call("GET", `/rooms/${room.id}/messages`);
  await junApi.remove(room.id, messages.find(({ body }) => body.startsWith("What a lovely idea")).id);
  await counts(mina, 2, 0, 0);
  await settles("how many messages are behind it", () => lines.count(), 2);

  // Off, all of it is gone, and comes back with it.
  await minaApi.call("PATCH", `/rooms/${room.id}`, { mood_enabled: false });
  await gone(marks(jun));
  await seen(panelOf(mina).getByText("Mood is off in this room"));
  await turnOn(minaApi, room);
  await seen(markOf(jun, "I adore this", "positive"));
  await panelOf(mina).getByRole("radio", { name: "Days" }).click();
  await counts(mina, 2, 0, 0);
});

/** By how much a row's height and the width of its words differ without its mark. */
function movedByMark(row) {
  return row.evaluate((element) => {
    const mark = element.querySelector("[data-mood]");
    const size = () => [
      element.getBoundingClientRect().height,
      mark.previousElementSibling.getBoundingClientRect().width,
    ];
    const withIt = size();
    mark.style.display = "none";
    const without = size();
    mark.style.display = "";
    return withIt.map((value, index) => value - without[index]);
  });
}

scenario("moods come, and nothing else is moved by them", async (world) => {
  const minaApi = await Api.signUp(world.origin, "mina", "Mina Park");
  const junApi = await Api.signUp(world.origin, "jun", "Jun Seo");
  await minaApi.makeRoom("kitchen", { visibility: "private" });
  const room = await junApi.makeRoom("design");
  for (let line = 1; line <= 60; line++) await junApi.send(room.id, `Line ${line}`);
  await minaApi.join(room.id);
  const { page } = await world.person("mina", { api: minaApi, path: `/rooms/${room.id}` });
  await seen(message(page, "Line 60"));
  await openRoom(page, "kitchen");
  const title = await page.title();

  // Elsewhere: as many are unread as were said, whatever came between them.
  for (const words of ["I love this", "I hate this"]) {
    await junApi.send(room.id, words);
    await heard(junApi, room, words);
  }
  await seen(sidebar(page).getByRole("link", { name: /^design, 2 unread messages/ }));
  await openRoom(page, "design");
  await seen(markOf(page, "I hate this", "negative"));
  const line = timeline(page).getByRole("separator", { name: "New", exact: true });
  await settles("what is below the line", () => below(line), ["I love this", "I hate this"]);
  await gone(sidebar(page).getByRole("link", { name: /unread/ }));

  // Further up: a message that is heard anew stays where it is, and so does everything else.
  await pointAtMessages(page);
  await wheel(page, -300);
  const places = async () =>
    Promise.all(["Line 40", "Line 41", "Line 42"].map((words) => message(page, words).boundingBox()));
  await page.mouse.move(0, 0);
  const { id } = (await junApi.history(room.id)).find(({ body }) => body === "Line 41");
  const edit = (body) => junApi.call("PATCH", `/rooms/${room.id}/messages/${id}`, { body });
  // That it was edited takes some place, which is there before.
  await edit("Line 41, once more");
  await seen(message(page, "Line 41, once more").getByText("edited", { exact: true }));
  const before = await places();
  await edit("Line 41 is wonderful");
  await seen(markOf(page, "Line 41", "positive"));
  assert.deepEqual(await places(), before);
  await seen(page.getByRole("button", { name: "Jump to the latest" }));
  assert.equal(await page.title(), title.replace("kitchen", "design"));
  assert.equal(
    await sidebar(page)
      .getByRole("link", { name: /unread/ })
      .count(),
    0,
  );

  // The numbers of moods are held as well.
  await fromMenu(page, "Room settings");
  const { head } = await junApi.call("GET", `/rooms/${room.id}`);
  await seen(page.getByText(`Everything up to #${head} is on this device.`));
});

/** Waits until somebody has found how a message sounds. */
async function heard(api, room, words) {
  await until(
    () => `"${words}" is heard`,
    async () => {
      const { messages } = await api.call("GET", `/rooms/${room.id}/messages`);
      return messages.find(({ body }) => body === words)?.sentiment;
    },
  );
}

/** The words of the messages below a line of the timeline. */
async function below(line) {
  if ((await line.count()) === 0) return null;
  return line.evaluate((element) =>
    [...element.closest("[role=log]").querySelectorAll("[role=article]")]
      .filter((row) => element.compareDocumentPosition(row) & Node.DOCUMENT_POSITION_FOLLOWING)
      .map((row) => row.querySelector("p").textContent),
  );
}

scenario("a room's mood without a mouse", async (world) => {
  const { room, minaApi, junApi } = await pair(world);
  await turnOn(minaApi, room);
  const { page } = await world.person("mina", { api: minaApi, path: `/rooms/${room.id}` });
  const { keyboard } = page;
  await junApi.send(room.id, "This is awful, I hate it");
  await junApi.send(room.id, "The best day, I am so happy");
  await seen(markOf(page, "The best day", "positive"));
  await seen(markOf(page, "This is awful", "negative"));
  await settles("the focus", () => focused(page), "Message to design");

  await keyboard.press("Control+Shift+L");
  await settles("the focus", () => focused(page), "Hours");
  await keyboard.press("ArrowRight");
  await settles("the focus", () => focused(page), "Days");
  await counts(page, 1, 0, 1);
  await tabTo(page, /1 positive, 0 neutral, 1 negative/);
  await keyboard.press("ArrowLeft");
  await settles("the focus", async () => /no messages$/.test(await focused(page)), true);
  await keyboard.press("End");
  await keyboard.press("Enter");
  await seen(panelOf(page).getByRole("listitem").filter({ hasText: "This is awful" }));

  // Only what sounds negative, and there in the conversation.
  await tabTo(page, /^All 2/);
  await keyboard.press("ArrowLeft");
  await settles("what is listed", () => panelOf(page).getByRole("listitem").count(), 1);
  await tabTo(page, /This is awful/);
  await keyboard.press("Enter");
  await settles(
    "the message that is shown",
    () => message(page, "This is awful").evaluate((row) => /flash/.test(row.className)),
    true,
  );
  await keyboard.press("Escape");
  await gone(panelOf(page));
  await settles("the focus", () => focused(page), "Message to design");
});

/** What has the focus, as it is called. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    const words =
      element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? "";
    return words.trim();
  });
}

async function tabTo(page, name) {
  for (let presses = 0; presses < 30; presses++) {
    if (name.test(await focused(page))) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to ${name}`);
}

scenario("a room's mood on a phone", async (world) => {
  const { room, minaApi, junApi } = await pair(world);
  await turnOn(minaApi, room);
  await junApi.send(room.id, "The best day, I am so happy");
  for (let line = 1; line <= 40; line++) await junApi.send(room.id, `Line ${line}`);
  const { page } = await world.person("mina", {
    api: minaApi,
    viewport: phone,
    hasTouch: true,
    isMobile: true,
  });
  await roomLink(page, "design").tap();
  await seen(message(page, "Line 40"));
  await page.getByRole("button", { name: "Room menu" }).tap();
  await page.getByRole("menuitem", { name: "Mood", exact: true }).tap();
  await panelOf(page).getByRole("radio", { name: "Days" }).tap();
  await counts(page, 1, 40, 0);
  await settles("the width", () => page.evaluate(() => document.documentElement.scrollWidth), phone.width);
  await settles("small targets", () => smallTargets(page), []);

  // A message of it takes the place of the panel.
  await today(page).tap();
  await panelOf(page)
    .getByRole("radio", { name: /^Positive/ })
    .tap();
  await panelOf(page)
    .getByRole("button", { name: /The best day/ })
    .tap();
  await gone(panelOf(page));
  await seen(message(page, "The best day"));
  await settles("the focus", () => focused(page).then((name) => /^Jun Seo/.test(name)), true);
  await seen(composer(page));
});
