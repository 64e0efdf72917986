import assert from "node:assert/strict";
import { Api } from "./support/api.mjs";
import { scenario } from "./support/scenario.mjs";
import {
  actFromMenu,
  composer,
  gone,
  idsOnScreen,
  message,
  openRoom,
  roomLink,
  say,
  seen,
  sidebar,
  signUp,
  timeline,
} from "./support/steps.mjs";
import { settles, until } from "./support/wait.mjs";

/** Two people in one room, the first of whom made it. */
async function pair(world, { visibility = "public" } = {}) {
  const minaApi = await Api.signUp(world.origin, "mina", "Mina Park");
  const junApi = await Api.signUp(world.origin, "jun", "Jun Seo");
  const room = await minaApi.makeRoom("design", { topic: "Shapes and words", visibility });
  const { code } = await minaApi.invite(room.id);
  await junApi.call("POST", `/invites/${code}/accept`);
  return { room, minaApi, junApi };
}

async function unreadOf(api, room) {
  const { rooms } = await api.call("GET", "/me/rooms");
  return rooms.find(({ id }) => id === room.id).unread;
}

scenario("mentions, typing, unread counts and drafts", async (world) => {
  const { room, minaApi, junApi } = await pair(world);
  const kitchen = await minaApi.makeRoom("kitchen");
  await junApi.join(kitchen.id);
  const { page: mina } = await world.person("mina", { api: minaApi, path: `/rooms/${room.id}` });
  const { page: jun } = await world.person("jun", { api: junApi, path: `/rooms/${room.id}` });

  // Who is heard is connected: whoever is not hears of nobody's typing.
  await say(jun, "Anybody here?");
  await seen(message(mina, "Anybody here?"));

  // One types, the other sees it; the name is completed.
  await composer(mina).pressSequentially("Hello @ju");
  await seen(jun.getByText("Mina Park is typing…"));
  await seen(mina.getByRole("option", { name: /Jun Seo/ }));
  await composer(mina).press("Enter");
  await settles("the field", () => composer(mina).inputValue(), "Hello @jun ");
  await composer(mina).press("Enter");
  await seen(message(jun, "Hello @Jun Seo").or(message(jun, "Hello @jun")));
  await gone(jun.getByText("Mina Park is typing…"));

  // A draft stays where it was written, over a switch and a reload.
  await composer(jun).fill("half a thought");
  await openRoom(jun, "kitchen");
  await settles("the field", () => composer(jun).inputValue(), "");
  await seen(sidebar(jun).getByRole("link", { name: "design, draft" }));
  await jun.reload();
  await openRoom(jun, "design");
  await settles("the field", () => composer(jun).inputValue(), "half a thought");
  // Also where the page goes while the keys are still warm.
  await composer(jun).pressSequentially(", and more");
  await jun.reload();
  await settles("the field", () => composer(jun).inputValue(), "half a thought, and more");
  await composer(jun).fill("");

  // Unread messages are counted where they are, and read by looking.
  await openRoom(jun, "kitchen");
  for (const line of ["one", "two", "three @jun"]) await minaApi.send(room.id, line);
  await seen(sidebar(jun).getByRole("link", { name: /design, 3 unread messages.*1 mention of you/ }));
  await settles("the title", async () => /3/.test(await jun.title()), true);
  await openRoom(jun, "design");
  await seen(
    timeline(jun)
      .getByRole("separator", { name: "New" })
      .or(timeline(jun).getByText("New", { exact: true })),
  );
  await gone(sidebar(jun).getByRole("link", { name: /unread/ }));
  await settles("the server's count", () => unreadOf(junApi, room), 0);

  // Marked unread from there, they count again.
  await actFromMenu(jun, message(jun, "two"), /Mark unread from here/);
  await seen(sidebar(jun).getByRole("link", { name: /design, 2 unread messages/ }));
  await settles("the server's count", () => unreadOf(junApi, room), 2);

  // They stay so, also where another device asks, until the room is opened again.
  await openRoom(jun, "kitchen");
  await jun.reload();
  await seen(sidebar(jun).getByRole("link", { name: /design, 2 unread messages/ }));
  await openRoom(jun, "design");
  await settles("the server's count", () => unreadOf(junApi, room), 0);
});

scenario("a private room, joined by an invite", async (world) => {
  const minaApi = await Api.signUp(world.origin, "mina", "Mina Park");
  const room = await minaApi.makeRoom("founders", { visibility: "private" });
  const { page: mina } = await world.person("mina", { api: minaApi, path: `/rooms/${room.id}` });
  await say(mina, "Only for us");

  // It is nowhere to be found.
  const { page: jun } = await world.person("jun", { displayName: "Jun Seo", path: "/browse" });
  await seen(jun.getByText("No open rooms yet"));
  await jun.goto(`/rooms/${room.id}`);
  await seen(jun.getByText("There is no such room"));
  world.guard.allow(/status of 404 .*\/api\/v1\/rooms\//);

  // Made in the settings, the link leads a signed-out stranger to an account and into the room.
  await mina.getByRole("button", { name: "Room menu" }).click();
  await mina.getByRole("menuitem", { name: "Invite people" }).click();
  await mina.getByRole("button", { name: "Make a link" }).click();
  const link = await until("there is a link", async () => {
    const { invites } = await minaApi.call("GET", `/rooms/${room.id}/invites`);
    return invites[0]?.url;
  });
  const hana = await world.stranger();
  await hana.goto(link);
  await seen(hana.getByText("Mina Park invites you to join"));
  await seen(hana.getByText("founders"));
  await hana.getByRole("link", { name: "Create an account and join" }).click();
  await signUp(hana, "hana", "Hana Kim");
  await seen(message(hana, "Only for us"));
  await say(hana, "Thank you for having me");
  await seen(message(mina, "Thank you for having me"));

  // Somebody with an account already only has to say yes.
  await jun.goto(link);
  await jun.getByRole("button", { name: "Join room" }).click();
  await seen(message(jun, "Thank you for having me"));
});

scenario("who is removed sees nothing more", async (world) => {
  const { room, minaApi, junApi } = await pair(world);
  const { page: mina } = await world.person("mina", { api: minaApi, path: `/rooms/${room.id}` });
  const { page: jun } = await world.person("jun", { api: junApi, path: `/rooms/${room.id}` });
  await say(mina, "Before");
  await seen(message(jun, "Before"));

  await mina.getByRole("button", { name: "2 members" }).click();
  await mina.getByRole("button", { name: "What to do with Jun Seo" }).click();
  await mina.getByRole("menuitem", { name: "Remove from room" }).click();
  await mina.getByRole("dialog").getByRole("button", { name: "Remove" }).click();

  await seen(jun.getByText("There is no such room"));
  await gone(roomLink(jun, "design"));
  const words = (text) => jun.getByText(text).count();
  await settles("what is left of the words before", () => words("Before"), 0);
  await minaApi.send(room.id, "After");
  await seen(message(mina, "After"));
  assert.equal(await words("After"), 0, "not even an announcement");

  // The device has let go of it as well.
  await jun.addInitScript(() => {
    window.flashed = false;
    new MutationObserver(() => {
      window.flashed ||= document.body?.textContent.includes("Before") ?? false;
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
  await jun.reload();
  await seen(sidebar(jun));
  await seen(jun.getByText("There is no such room"));
  await gone(roomLink(jun, "design"));
  assert.equal(await jun.evaluate(() => window.flashed), false, "not even for a moment");
});

scenario("leaving, and coming back", async (world) => {
  const { room, minaApi, junApi } = await pair(world);
  await minaApi.send(room.id, "Before");
  const { page: jun } = await world.person("jun", { api: junApi, path: `/rooms/${room.id}` });
  await seen(message(jun, "Before"));
  await jun.getByRole("button", { name: "Room menu" }).click();
  await jun.getByRole("menuitem", { name: "Leave room" }).click();
  await jun.getByRole("dialog").getByRole("button", { name: "Leave room" }).click();
  await gone(roomLink(jun, "design"));
  await minaApi.send(room.id, "Meanwhile");
  await jun.goto("/browse");
  await jun.getByRole("button", { name: "Join design" }).click();
  await seen(message(jun, "Meanwhile"));
  await settles(
    "the history",
    () => idsOnScreen(jun),
    (await junApi.history(room.id)).map(({ id }) => id),
  );
});

scenario("the whole app in Korean", async (world) => {
  const { room, minaApi } = await pair(world);
  const { page } = await world.person("mina", { api: minaApi, path: "/settings" });
  await page.getByRole("radio", { name: "한국어" }).click();
  await seen(page.getByRole("heading", { name: "설정" }));
  assert.equal(await page.locator("html").getAttribute("lang"), "ko");
  await page.reload();
  await seen(page.getByRole("heading", { name: "설정" }));
  await page.goto(`/rooms/${room.id}`);
  await seen(page.getByRole("textbox", { name: /design/ }));
});
