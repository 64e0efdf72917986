import { password } from "./api.mjs";
import { patienceMs, settles, until } from "./wait.mjs";

/** Waits until something is there to be seen. */
export async function seen(locator) {
  await locator.first().waitFor({ state: "visible", timeout: patienceMs });
  return locator;
}

/** Waits until nothing of it is there to be seen. */
export async function gone(locator) {
  await until(`${locator} is gone`, async () => {
    for (const one of await locator.all()) if (await one.isVisible()) return false;
    return true;
  });
}

export async function signUp(page, username, displayName) {
  await page.getByLabel("Username").fill(username);
  if (displayName) await page.getByLabel("Name to show").fill(displayName);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Create account" }).click();
}

export async function signIn(page, username) {
  await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

export function sidebar(page) {
  return page.getByRole("navigation", { name: "Rooms and people" });
}

export function composer(page) {
  return page.getByRole("textbox", { name: /^Message to / });
}

export function timeline(page) {
  return page.getByRole("log", { name: /^Messages in / });
}

/** The row of a message that holds these words. */
export function message(page, text) {
  return timeline(page).getByRole("article").filter({ hasText: text });
}

/** Types and sends; the row is there before the server has it. */
export async function say(page, text) {
  await composer(page).fill(text);
  await composer(page).press("Enter");
  await seen(message(page, text.split("\n")[0]));
}

/** A room's link in the sidebar. */
export function roomLink(page, name) {
  return sidebar(page).getByRole("link", { name: new RegExp(`^${RegExp.escape?.(name) ?? name}\\b`) });
}

export async function openRoom(page, name) {
  await roomLink(page, name).click();
  await seen(page.getByRole("textbox", { name: `Message to ${name}` }));
}

/** What can be done with a message: pointed at, its buttons appear. */
export async function act(page, row, name) {
  await row.hover();
  await row.getByRole("button", { name, exact: true }).click();
}

export async function actFromMenu(page, row, name) {
  await act(page, row, "More actions");
  await page.getByRole("menuitem", { name }).click();
}

/** The ids of all messages that the timeline has, in their order on the screen, read from its top to its bottom. */
export async function idsOnScreen(page) {
  return timeline(page).evaluate((log) => {
    const rows = [...log.querySelectorAll("[data-message-id]")];
    return rows.map((row) => row.dataset.messageId);
  });
}

/** Both the order on the screen and the history of the server name the same messages, each once. */
export async function agreesWithServer(page, api, roomId) {
  await settles(
    "what the screen shows",
    () => idsOnScreen(page),
    (await api.history(roomId)).map(({ id }) => id),
  );
}
