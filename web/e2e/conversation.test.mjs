import assert from "node:assert/strict";
import { scenario } from "./support/scenario.mjs";
import {
  act,
  actFromMenu,
  agreesWithServer,
  composer,
  gone,
  message,
  say,
  seen,
  sidebar,
  signUp,
  timeline,
} from "./support/steps.mjs";
import { Api } from "./support/api.mjs";

scenario("two people talk, through a crash of the server", async (world) => {
  const { origin, server, guard } = world;
  const mina = await world.stranger();
  const jun = await world.stranger();

  // Both sign up; one makes a room, the other finds it.
  for (const [page, username, name] of [
    [mina, "mina", "Mina Park"],
    [jun, "jun", "Jun Seo"],
  ]) {
    await page.goto("/");
    await page.getByRole("link", { name: "Create an account" }).click();
    await signUp(page, username, name);
    await seen(sidebar(page));
  }
  await mina.getByRole("button", { name: "Make a room" }).click();
  const dialog = mina.getByRole("dialog", { name: "New room" });
  await dialog.getByLabel("Name").fill("design");
  await dialog.getByLabel("Topic").fill("Shapes and words");
  await dialog.getByRole("button", { name: "Make room" }).click();
  await seen(composer(mina));
  await say(mina, "Good morning, is anybody here?");

  await jun.getByRole("button", { name: "Browse rooms" }).first().click();
  await jun.getByRole("button", { name: "Join design" }).click();
  await seen(message(jun, "Good morning, is anybody here?"));

  const junApi = await Api.signIn(origin, "jun");
  const { rooms } = await junApi.call("GET", "/me/rooms");
  const roomId = rooms.find(({ name }) => name === "design").id;

  // They talk both ways.
  await say(jun, "I am, just got in");
  await seen(message(mina, "I am, just got in"));
  await say(mina, "Lets look at the colours");
  await seen(message(jun, "Lets look at the colours"));

  // One corrects a message, the other reacts to it and answers it.
  await act(mina, message(mina, "Lets look"), "Edit");
  await mina.getByRole("textbox", { name: "Edit your message" }).fill("Let us look at the colours");
  await mina.keyboard.press("Enter");
  const corrected = message(jun, "Let us look at the colours");
  await seen(corrected.getByText("edited"));
  await gone(message(jun, "Lets look"));

  await act(jun, corrected, "React");
  const picker = jun.getByRole("dialog", { name: "Choose an emoji" });
  await picker.getByRole("combobox", { name: "Find an emoji" }).fill("honey");
  await picker.getByRole("option", { name: "honey pot" }).click();
  await seen(message(mina, "Let us look").getByRole("button", { name: "🍯, 1 person" }));
  await message(mina, "Let us look").getByRole("button", { name: "🍯, 1 person" }).click();
  await seen(corrected.getByRole("button", { name: "🍯, 2 people, including you" }));

  await act(jun, corrected, "Reply");
  await say(jun, "Amber, please");
  const answer = message(mina, "Amber, please");
  await seen(answer.getByText("Let us look at the colours"));

  // Code has its colours, made beside the page's own work.
  await say(jun, "The accent is:\n```css\na { color: #f0a81c }\n```");
  await seen(message(mina, "The accent is").locator("code span[style*=code-token]"));

  // One takes a message back.
  await say(jun, "This was meant for another room");
  await seen(message(mina, "This was meant for another room"));
  await actFromMenu(jun, message(jun, "This was meant for another room"), /^Delete/);
  await jun.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await gone(message(mina, "This was meant for another room"));
  await seen(timeline(mina).getByText("Message deleted"));

  // The server dies while both are writing, and comes back.
  await guard.duringOutage(async () => {
    const lines = Array.from({ length: 12 }, (_, index) => index + 1);
    const writing = Promise.all([
      writeAll(
        mina,
        lines.map((line) => `mina ${line} of 12`),
      ),
      writeAll(
        jun,
        lines.map((line) => `jun ${line} of 12`),
      ),
    ]);
    await seen(message(mina, "jun 4 of 12"));
    await server.kill();
    await writing;

    // What is written now waits, survives a reload without a server, and says so.
    await say(mina, "Written while nobody listened");
    await seen(message(mina, "Written while nobody listened").getByText("Waiting for the network"));
    await mina.reload();
    await seen(message(mina, "Written while nobody listened").getByText("Waiting for the network"));
    await seen(message(mina, "Good morning, is anybody here?"));

    await server.run();
    for (const page of [mina, jun]) {
      await seen(message(page, "Written while nobody listened"));
      for (const line of lines) {
        await seen(message(page, `mina ${line} of 12`));
        await seen(message(page, `jun ${line} of 12`));
      }
    }
    await gone(mina.getByText("Waiting for the network"));
  });

  // Nothing is lost, nothing is there twice, and all see the same order.
  await agreesWithServer(mina, junApi, roomId);
  await agreesWithServer(jun, junApi, roomId);
  const bodies = (await junApi.history(roomId)).map(({ body }) => body);
  assert.equal(new Set(bodies).size, bodies.length, "a message is in the history twice");
  assert.equal(bodies.filter((body) => / of 12$/.test(body)).length, 24);
  await mina.reload();
  await agreesWithServer(mina, junApi, roomId);
});

/** Types line after line without waiting for the server. */
async function writeAll(page, lines) {
  for (const line of lines) {
    await composer(page).fill(line);
    await composer(page).press("Enter");
  }
}
