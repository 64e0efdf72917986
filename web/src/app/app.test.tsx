import { act, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { languages, type Language } from "../i18n/i18n";
import { fakeWorld } from "../testing/fake-browser";
import { scene } from "../testing/scene";
import { renderApp } from "./testing-render";

vi.mock("virtual:pwa-register/react", () => ({
  useRegisterSW: () => ({
    needRefresh: [false, () => undefined],
    updateServiceWorker: () => Promise.resolve(),
  }),
}));

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});

/** Mina's client, open at the room that she shares with Jun. */
async function openRoom(language: Language, options: { messages?: number } = {}) {
  const world = scene({ messages: 3, ...options });
  const page = await world.browser.openPage();
  const app = await renderApp(page, `/rooms/${world.room.id}`, language);
  const field = await screen.findByRole("textbox", { name: app.t("composer.label", { room: "general" }) });
  return { ...world, ...app, page, field };
}

/** The row with that text. */
async function findRow(text: string): Promise<HTMLElement> {
  return (await screen.findByText(text)).closest<HTMLElement>("[role=article]")!;
}

async function expectAccessible(container: Element): Promise<void> {
  // jsdom draws nothing: contrast is computed from the tokens in tokens.test.ts.
  const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
}

describe.each(languages)("in %s", { timeout: 30_000 }, (language) => {
  it("somebody signs in, and is told beside the field what is wrong", async () => {
    const world = fakeWorld();
    const mina = world.server.addUser("mina");
    world.server.accounts.get(mina.id)!.password = "correct horse";
    const page = await world.browser.openPage();
    const { t, user, container } = await renderApp(page, "/", language);

    const name = await screen.findByRole("textbox", { name: t("account.username") });
    await expectAccessible(container);
    const password = screen.getByLabelText(t("account.password"));
    await user.type(name, "Mina");
    await user.type(password, "wrong horse{Enter}");
    await waitFor(() => expect(password).toHaveAccessibleDescription(t("account.errors.wrongPassword")));
    expect(password).toHaveFocus();

    await user.clear(password);
    await user.type(password, "correct horse{Enter}");
    expect(await screen.findByRole("heading", { name: t("home.title") })).toBeInTheDocument();
  });

  it("a newcomer makes an account and the first room, and says something in it", async () => {
    const page = await fakeWorld().browser.openPage();
    const { t, user } = await renderApp(page, "/signup", language);

    await user.type(await screen.findByRole("textbox", { name: t("account.username") }), "hana");
    await user.type(screen.getByLabelText(t("account.password")), "correct horse");
    await user.click(screen.getByRole("button", { name: t("account.signUp") }));
    await user.click(await screen.findByRole("button", { name: t("home.makeRoom") }));
    const dialog = await screen.findByRole("dialog", { name: t("newRoom.title") });
    await user.click(within(dialog).getByRole("button", { name: t("newRoom.create") }));
    const name = within(dialog).getByRole("textbox", { name: t("newRoom.name") });
    expect(name).toHaveAccessibleDescription(t("newRoom.nameMissing"));
    await user.type(name, "garden{Enter}");

    const field = await screen.findByRole("textbox", { name: t("composer.label", { room: "garden" }) });
    await user.type(field, "Anybody here?{Enter}");
    const row = await findRow("Anybody here?");
    await waitFor(() => expect(row).toHaveAttribute("data-state", "sent"));
    expect(field).toHaveValue("");
  });

  it("the conversation is a log without faults for assistive technology", async () => {
    const { container, t } = await openRoom(language);
    await findRow("old 3");
    expect(screen.getByRole("log", { name: t("timeline.label", { room: "general" }) })).toBeInTheDocument();
    expect(screen.getByRole("heading", { level: 1 })).toHaveTextContent("general");
    await expectAccessible(container);
  });

  it("what others say is read out, name and text first", async () => {
    const { server, room, jun } = await openRoom(language);
    await findRow("old 3");
    act(() => void server.say(room, jun, "**Lunch**?"));
    await waitFor(() =>
      expect(document.querySelector("[data-live-region]")).toHaveTextContent(/^jun: Lunch\?, .*\d/i),
    );
  });

  it("my last message is edited with the arrow key, in its place", async () => {
    const { field, user, t } = await openRoom(language);
    await user.type(field, "teh end{Enter}");
    await waitFor(async () => expect(await findRow("teh end")).toHaveAttribute("data-state", "sent"));
    await user.type(field, "{ArrowUp}");
    const editor = await screen.findByRole("textbox", { name: t("message.editLabel") });
    await user.clear(editor);
    await user.type(editor, "the end{Enter}");
    await findRow("the end");
    expect(await screen.findByText(t("message.edited"))).toBeInTheDocument();
    expect(field).toHaveFocus();
  });

  it("a message is answered, and deleted after a question, by keys alone", async () => {
    const { field, user, t } = await openRoom(language);
    await user.type(field, "my word{Enter}");
    const mine = await findRow("my word");
    await waitFor(() => expect(mine).toHaveAttribute("data-state", "sent"));
    const theirs = await findRow("old 2");

    act(() => {
      theirs.focus();
    });
    await user.keyboard("r");
    expect(field).toHaveFocus();
    expect(screen.getByText(/old 2/, { selector: "[class*=replyWords]" })).toBeInTheDocument();

    act(() => {
      mine.focus();
    });
    await user.keyboard("{Delete}");
    const dialog = await screen.findByRole("dialog", { name: t("message.deleteTitle") });
    await user.click(within(dialog).getByRole("button", { name: t("message.delete") }));
    expect(await screen.findByText(t("message.deleted"), { selector: "p" })).toBeInTheDocument();
  });

  it("a refused message comes back to the field with its reason", async () => {
    const { server, field, user, t } = await openRoom(language);
    server.refuseSend = () => ({ code: "muted", detail: "muted" });
    await user.type(field, "too much{Enter}");
    const reason = t("message.refusedBack", { reason: t("composer.refused.muted") });
    expect(await screen.findByText(reason)).toBeInTheDocument();
    expect(field).toHaveValue("too much");
  });

  it("without a network a message waits, and can be sent or deleted", async () => {
    const { server, page, field, user, t } = await openRoom(language);
    server.reachable = false;
    act(() => {
      page.setOnline(false);
      server.cut();
    });
    await user.type(field, "later{Enter}");
    expect(await screen.findByText(t("message.waiting"))).toBeInTheDocument();
    expect(screen.getByText(t("composer.offline"))).toBeInTheDocument();
    expect(screen.getByRole("button", { name: t("message.sendNow") })).toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: t("message.delete") }));
    await waitFor(() => expect(screen.queryByText("later")).not.toBeInTheDocument());
  });

  it("names are completed while they are written", async () => {
    const { field, user } = await openRoom(language);
    await user.type(field, "hi @ju");
    const option = await screen.findByRole("option", { name: /jun/i });
    expect(field).toHaveAttribute("aria-activedescendant", option.id);
    await user.keyboard("{Enter}");
    expect(field).toHaveValue("hi @jun ");
  });

  it("a few letters lead to another room", async () => {
    const { server, page, mina, user, t } = await openRoom(language);
    await act(async () => {
      await page.sync.api.createRoom({ name: "garden", visibility: "public" });
    });
    expect(server.roomsOf(mina.id)).toHaveLength(2);
    await user.keyboard("{Control>}k{/Control}");
    const search = await screen.findByRole("combobox", { name: t("switcher.title") });
    await user.type(search, "gdn{Enter}");
    expect(await screen.findByRole("heading", { level: 1, name: /garden/ })).toBeInTheDocument();
  });

  it("rooms say aloud how much in them is unread", async () => {
    const world = scene({ messages: 2 });
    const page = await world.browser.openPage();
    const { t } = await renderApp(page, "/settings", language);
    expect(
      await screen.findByRole("link", { name: t("sidebar.roomUnread", { room: "general", count: 2 }) }),
    ).toBeInTheDocument();
  });

  it("a room's people and settings open beside it", async () => {
    const { user, t } = await openRoom(language);
    await user.click(screen.getByRole("button", { name: t("room.membersCount", { count: 2 }) }));
    const panel = await screen.findByRole("region", { name: /2/ });
    expect(await within(panel).findByText("@jun")).toBeInTheDocument();
    await user.keyboard("{Escape}");
    await user.click(screen.getByRole("button", { name: t("room.menu") }));
    await user.click(await screen.findByRole("menuitem", { name: t("room.settings") }));
    const settings = await screen.findByRole("region", { name: t("roomSettings.title") });
    expect(within(settings).getByRole("radio", { name: t("roomSettings.notifyAll") })).toBeChecked();
  });

  it("an address that leads nowhere says so and leads on", async () => {
    const world = scene();
    const page = await world.browser.openPage();
    const { t } = await renderApp(page, "/nowhere", language);
    expect(await screen.findByRole("heading", { name: t("errors.notFoundTitle") })).toBeInTheDocument();
    expect(screen.getByRole("link", { name: t("errors.notFoundHome") })).toHaveAttribute("href", "/");
  });
});
