import assert from "node:assert/strict";
import { Api, password } from "./support/api.mjs";
import { phone, scenario } from "./support/scenario.mjs";
import { smallTargets } from "./support/small-targets.mjs";
import { composer, gone, message, roomLink, seen, sidebar } from "./support/steps.mjs";
import { settles, until } from "./support/wait.mjs";

/** The accessible name of what has the focus. */
function focused(page) {
  return page.evaluate(() => {
    const element = document.activeElement;
    return (
      element?.getAttribute("aria-label") ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? ""
    );
  });
}

/** Presses Tab until the focus is where a person wants it to be. */
async function tabTo(page, name) {
  for (let presses = 0; presses < 60; presses++) {
    if ((await focused(page)).trim() === name) return;
    await page.keyboard.press("Tab");
  }
  assert.fail(`Tab does not lead to "${name}"`);
}

scenario("everything without a mouse", async (world) => {
  const api = await Api.signUp(world.origin, "mina", "Mina Park");
  const junApi = await Api.signUp(world.origin, "jun", "Jun Seo");
  const design = await api.makeRoom("design");
  const kitchen = await api.makeRoom("kitchen");
  await junApi.join(design.id);
  await junApi.send(design.id, "What about amber?");
  await api.send(kitchen.id, "Soup is ready");

  const page = await world.stranger();
  const { keyboard } = page;
  await page.goto("/signin");
  await seen(page.getByLabel("Username"));
  await tabTo(page, "Username");
  await keyboard.type("mina");
  await tabTo(page, "Password");
  await keyboard.type(password);
  await keyboard.press("Enter");
  await seen(sidebar(page));

  // To a room by a few letters, and into its field.
  await keyboard.press("Control+k");
  await seen(page.getByRole("dialog", { name: "Jump to a room" }));
  await keyboard.type("dsg");
  await seen(page.getByRole("option", { name: /design/ }));
  await keyboard.press("Enter");
  await seen(message(page, "What about amber?"));
  await settles("the focus", () => focused(page), "Message to design");

  // Write; correct the last one with the arrow.
  await keyboard.type("Amber is lovly");
  await keyboard.press("Enter");
  await seen(message(page, "Amber is lovly"));
  await until("it has its number", () => message(page, "Amber is lovly").getAttribute("data-seq"));
  await keyboard.press("ArrowUp");
  await settles("the focus", () => focused(page), "Edit your message");
  await keyboard.press("Control+a");
  await keyboard.type("Amber is lovely");
  await keyboard.press("Enter");
  await seen(message(page, "Amber is lovely").getByText("edited"));
  await settles("the focus", () => focused(page), "Message to design");

  // To the other's message, and answer it.
  await tabTo(page, "Message to design");
  await keyboard.press("Shift+Tab");
  await until("a message has the focus", async () => (await activeMessage(page)) !== null);
  await keyboard.press("ArrowUp");
  await until("the message above has the focus", async () =>
    /What about amber/.test(await activeMessage(page)),
  );
  await keyboard.press("r");
  await seen(page.getByText("Replying to Jun Seo"));
  await settles("the focus", () => focused(page), "Message to design");
  await keyboard.type("Yes, amber");
  await keyboard.press("Enter");
  await seen(message(page, "Yes, amber").getByText("What about amber?"));

  // The list of keys opens and goes, and the focus comes back.
  await keyboard.press("Escape");
  await page.evaluate(() => document.activeElement.blur());
  await keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await seen(help);
  await keyboard.press("Escape");
  await gone(help);

  // Back to the other room.
  await keyboard.press("Control+k");
  await keyboard.type("kit");
  await seen(page.getByRole("option", { name: /kitchen/ }));
  await keyboard.press("Enter");
  await seen(message(page, "Soup is ready"));
});

/** The words of the message that has the focus; null if none has. */
function activeMessage(page) {
  return page.evaluate(() => document.activeElement?.closest("[data-message-id]")?.textContent ?? null);
}

scenario("one column on a phone", async (world) => {
  const api = await Api.signUp(world.origin, "mina", "Mina Park");
  const room = await api.makeRoom("design");
  await api.send(room.id, "Good morning");
  const { page } = await world.person("mina", { api, viewport: phone, hasTouch: true, isMobile: true });

  // The list of rooms, then a room, then back by the button and by the browser.
  await gone(composer(page));
  await roomLink(page, "design").tap();
  await seen(message(page, "Good morning"));
  await gone(sidebar(page));
  // Enter breaks the line here: its keyboard has no other way to.
  await composer(page).fill("From the bus");
  await page.getByRole("button", { name: "Send" }).tap();
  await seen(message(page, "From the bus"));
  await page
    .getByRole("button", { name: "Back to rooms" })
    .or(page.getByRole("link", { name: "Back to rooms" }))
    .tap();
  await seen(roomLink(page, "design"));
  await gone(composer(page));
  await roomLink(page, "design").tap();
  await seen(message(page, "From the bus"));
  await page.goBack();
  await seen(roomLink(page, "design"));

  // Nothing is cut off at the side, and fingers meet what they aim at.
  for (const path of ["/", `/rooms/${room.id}`, "/browse", "/settings"]) {
    await page.goto(path);
    await seen(page.getByRole("main").or(sidebar(page)));
    await settles("the width", () => page.evaluate(() => document.documentElement.scrollWidth), phone.width);
    await settles(`small targets of ${path}`, () => smallTargets(page), []);
  }
});
