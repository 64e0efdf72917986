import { act, screen, waitFor, within } from "@testing-library/react";
import axe from "axe-core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { languages, type Language } from "../i18n/i18n";
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

afterEach(() => {
  vi.useRealTimers();
});

/** Somebody at a room of a server that says how messages sound: two messages of Jun, the first of them heard. */
async function openRoom(language: Language, { moods = true, enabled = true, search = "", as = "mina" } = {}) {
  const world = scene({ messages: 2, moods });
  const { server, browser, room, mina, jun, clock } = world;
  // The bars end now: the page's own clock has to be that of the world.
  vi.useFakeTimers({ toFake: ["Date"], now: clock.now() });
  const [heard, other] = room.messagesAsOf(room.head);
  room.mood(heard!.seq, 0.8);
  room.changed(mina, { mood_enabled: enabled });
  if (as === "jun") browser.signIn(jun.id);
  const page = await browser.openPage();
  const app = await renderApp(page, `/rooms/${room.id}${search}`, language);
  await screen.findByText("old 2");
  // What follows the first event within a frame waits for the frame's end.
  const pass = () => act(() => clock.advance(20));
  const publish = async (event: Parameters<typeof server.publish>[0]) => {
    act(() => server.publish(event));
    await pass();
  };
  const asked = () => browser.http.calls.filter((call) => call.includes("/mood?")).length;
  return { ...world, ...app, page, heard: heard!, other: other!, publish, pass, asked };
}

/** The row with that text. */
async function findRow(text: string): Promise<HTMLElement> {
  return (await screen.findByText(text, { selector: "[role=article] *" })).closest("[role=article]")!;
}

describe.each(languages)("mood in %s", { timeout: 30_000 }, (language) => {
  it("a message shows how it sounds, in words too, as soon as somebody has read it", async () => {
    const { room, jun, other, publish, t } = await openRoom(language);
    const row = await findRow("old 2");
    expect(within(row).queryByRole("img", { name: t("mood.sounds.negative") })).not.toBeInTheDocument();
    await publish(room.mood(other.seq, -0.7));
    expect(await within(row).findByRole("img", { name: t("mood.sounds.negative") })).toBeInTheDocument();
    await publish(room.edit(jun, other.seq, "old 2, but nicer"));
    await waitFor(() => expect(row.querySelector("[data-mood]")).toBeNull());
  });

  it("what sounds like nothing in particular shows it to who asks", async () => {
    const { room, other, publish, t, user } = await openRoom(language);
    await publish(room.mood(other.seq, 0));
    const row = await findRow("old 2");
    expect(row.querySelector("[data-mood]")).toBeNull();
    await user.hover(row);
    expect(await within(row).findByRole("img", { name: t("mood.sounds.neutral") })).toBeInTheDocument();
  });

  it("a server without moods shows nothing of them", async () => {
    const { t, user } = await openRoom(language, { moods: false, search: "?panel=mood" });
    expect(document.querySelector("[data-mood]")).toBeNull();
    expect(screen.queryByRole("button", { name: t("room.mood") })).not.toBeInTheDocument();
    await user.keyboard("{Control>}{Shift>}l{/Shift}{/Control}");
    expect(screen.queryByRole("region", { name: t("mood.title") })).not.toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: t("room.menu") }));
    expect(await screen.findByRole("menuitem", { name: t("room.settings") })).toBeInTheDocument();
    expect(screen.queryByRole("menuitem", { name: t("room.mood") })).not.toBeInTheDocument();
    await user.click(screen.getByRole("menuitem", { name: t("room.settings") }));
    const settings = await screen.findByRole("region", { name: t("roomSettings.title") });
    expect(within(settings).queryByText(t("roomSettings.mood"))).not.toBeInTheDocument();
    await user.click(screen.getByRole("button", { name: t("sidebar.add") }));
    await user.click(await screen.findByRole("menuitem", { name: t("sidebar.newRoom") }));
    const dialog = await screen.findByRole("dialog", { name: t("newRoom.title") });
    expect(within(dialog).getByText(t("newRoom.publicHint"))).toBeInTheDocument();
  });

  it("an owner turns it off and on, and the marks go and come back", async () => {
    const { room, server, browser, mina, pass, t, user } = await openRoom(language, {
      search: "?panel=settings",
    });
    const row = await findRow("old 1");
    const mark = () => row.querySelector("[data-mood]");
    expect(mark()).not.toBeNull();
    const toggle = await screen.findByRole("switch", { name: t("roomSettings.moodShow") });
    expect(toggle).toBeChecked();
    expect(toggle).toHaveAccessibleDescription(t("roomSettings.moodPrivacy"));
    await user.click(toggle);
    await waitFor(() => expect(room.info.mood_enabled).toBe(false));
    await pass();
    await waitFor(() => expect(mark()).toBeNull());
    expect(screen.queryByRole("button", { name: t("room.mood") })).not.toBeInTheDocument();
    const names = t("timeline.person", { name: mina.display_name });
    expect(await screen.findByText(t("timeline.room.mood_off", { names }))).toBeInTheDocument();
    await user.click(toggle);
    await waitFor(() => expect(room.info.mood_enabled).toBe(true));
    await pass();
    await waitFor(() => expect(mark()).not.toBeNull());
    expect(toggle).toBeChecked();

    browser.http.failures.push({ pattern: /^PATCH/, code: "unavailable" });
    await user.click(toggle);
    expect(await screen.findByText(t("errors.unavailable"))).toBeInTheDocument();
    expect(toggle).toBeChecked();
    expect(server.rooms.get(room.id)!.info.mood_enabled).toBe(true);
  });

  it("others read whether it is on", async () => {
    const { t } = await openRoom(language, { search: "?panel=settings", as: "jun", enabled: false });
    expect(await screen.findByText(t("roomSettings.moodIsOff"))).toBeInTheDocument();
    expect(screen.queryByRole("switch")).not.toBeInTheDocument();
  });

  it("the panel opens by keys, its bars say what they show, and one leads to its messages", async () => {
    const { browser, room, heard, other, publish, asked, t, user, container } = await openRoom(language);
    await user.keyboard("{Control>}{Shift>}l{/Shift}{/Control}");
    const panel = await screen.findByRole("region", { name: t("mood.title") });
    const bars = await within(panel).findAllByRole("option");
    expect(bars).toHaveLength(12);
    const now = bars.at(-1)!;
    await waitFor(() => expect(now).toHaveAttribute("aria-disabled", "false"));
    expect(now).toHaveAccessibleName(new RegExp(t("mood.mean", { mean: "\\+0\\.8" })));
    expect(within(panel).getByRole("radio", { name: t("mood.hour") })).toHaveFocus();
    const { violations } = await axe.run(container, { rules: { "color-contrast": { enabled: false } } });
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual(
      [],
    );

    // By keys from the switch to the bars, along them and into one.
    await user.tab();
    await user.tab();
    await user.tab();
    expect(now).toHaveFocus();
    await user.keyboard("{ArrowLeft}");
    expect(bars.at(-2)).toHaveFocus();
    await user.keyboard("{Enter}");
    expect(within(panel).queryByRole("listitem")).not.toBeInTheDocument();
    await user.keyboard("{ArrowRight}{Enter}");
    expect(now).toHaveAttribute("aria-selected", "true");
    const lines = () => within(panel).queryAllByRole("listitem");
    await waitFor(() => expect(lines()).toHaveLength(1));
    expect(lines()[0]).toHaveTextContent(/old 1/);

    // What is heard meanwhile is in the list at once, and in the chart within a second, asked for once.
    const before = asked();
    const held = browser.http.hold(/\/mood\?/);
    await publish(room.mood(other.seq, -0.6));
    await waitFor(() =>
      expect(lines().map(({ textContent }) => textContent)).toEqual([
        expect.stringContaining("old 2"),
        expect.stringContaining("old 1"),
      ]),
    );
    await publish(room.mood(heard.seq, 0.4));
    await waitFor(() => expect(asked()).toBe(before + 1));
    held.release();
    await waitFor(() => expect(now).toHaveAccessibleName(new RegExp(t("mood.mean", { mean: "-0\\.1" }))));

    // One mood of them only; a click leads to its place.
    await user.click(within(panel).getByRole("radio", { name: new RegExp(`^${t("mood.negative")}`) }));
    expect(lines()).toHaveLength(1);
    await user.click(within(lines()[0]!).getByRole("button"));
    await waitFor(async () => expect((await findRow("old 2")).className).toMatch(/flash/));
  });

  it("a time without any says so, and what fails can be tried again", async () => {
    const { browser, t, user } = await openRoom(language, { search: "?panel=mood" });
    const panel = await screen.findByRole("region", { name: t("mood.title") });
    await within(panel).findByText(t("mood.choose"));
    await user.click(within(panel).getByRole("button", { name: t("mood.earlier") }));
    expect(await within(panel).findByText(t("mood.emptyTitle"))).toBeInTheDocument();
    expect(within(panel).getByText(t("mood.emptyEarlier"))).toBeInTheDocument();

    browser.http.failures.push({ pattern: /\/mood\?.*bucket=day/, code: "unavailable" });
    await user.click(within(panel).getByRole("radio", { name: t("mood.day") }));
    expect(await within(panel).findByText(t("errors.unavailable"))).toBeInTheDocument();
    browser.http.failures.length = 0;
    await user.click(within(panel).getByRole("button", { name: t("common.retry") }));
    expect(await within(panel).findAllByRole("option")).toHaveLength(7);
    expect(browser.http.calls.filter((call) => call.includes("bucket=day")).at(-1)).toContain("&tz=");
  });

  it("what could not be refreshed stays and says so, and is refreshed by itself", async () => {
    const { browser, room, other, publish, asked, t } = await openRoom(language, { search: "?panel=mood" });
    const panel = await screen.findByRole("region", { name: t("mood.title") });
    await within(panel).findByText(t("mood.choose"));
    browser.http.failures.push({ pattern: /\/mood\?/, code: "unavailable" });
    await publish(room.mood(other.seq, -0.6));
    expect(await within(panel).findByText(t("mood.stale"), {}, { timeout: 5_000 })).toBeInTheDocument();
    browser.http.failures.length = 0;
    const before = asked();
    await waitFor(() => expect(asked()).toBe(before + 1), { timeout: 5_000 });
    await waitFor(() => expect(within(panel).queryByText(t("mood.stale"))).not.toBeInTheDocument());
    expect(within(panel).getAllByRole("option").at(-1)).toHaveAccessibleName(
      new RegExp(t("mood.mean", { mean: "\\+0\\.1" })),
    );
  });

  it("who makes a room is told that a public one is read", async () => {
    const { t, user } = await openRoom(language);
    await user.click(screen.getByRole("button", { name: t("sidebar.add") }));
    await user.click(await screen.findByRole("menuitem", { name: t("sidebar.newRoom") }));
    const dialog = await screen.findByRole("dialog", { name: t("newRoom.title") });
    expect(within(dialog).getByText(new RegExp(t("newRoom.publicMood")))).toBeInTheDocument();
  });

  it("without a network the chart stays and says so, and goes on with the connection", async () => {
    const { server, page, clock, t, user } = await openRoom(language, { search: "?panel=mood" });
    const panel = await screen.findByRole("region", { name: t("mood.title") });
    await within(panel).findByText(t("mood.choose"));
    server.reachable = false;
    act(() => {
      page.setOnline(false);
      server.cut();
    });
    expect(await within(panel).findByText(t("mood.offline"))).toBeInTheDocument();
    expect(within(panel).getAllByRole("option")).toHaveLength(12);
    await user.click(within(panel).getByRole("radio", { name: t("mood.day") }));
    expect(await within(panel).findByText(t("errors.network"))).toBeInTheDocument();
    server.reachable = true;
    await act(async () => {
      page.setOnline(true);
      await clock.advance(5_000);
    });
    await waitFor(() => expect(within(panel).queryByText(t("mood.offline"))).not.toBeInTheDocument());
    expect(await within(panel).findAllByRole("option")).toHaveLength(7);
    expect(within(panel).queryByText(t("errors.network"))).not.toBeInTheDocument();
  });

  it("where it is turned off meanwhile, the panel says so in place of the bars", async () => {
    const { room, mina, publish, t, user } = await openRoom(language, { search: "?panel=mood" });
    const panel = await screen.findByRole("region", { name: t("mood.title") });
    await within(panel).findByText(t("mood.choose"));
    await publish(room.changed(mina, { mood_enabled: false }));
    expect(await within(panel).findByText(t("mood.offTitle"))).toBeInTheDocument();
    expect(within(panel).queryByRole("option")).not.toBeInTheDocument();
    await user.click(within(panel).getByRole("button", { name: t("room.settings") }));
    expect(await screen.findByRole("switch", { name: t("roomSettings.moodShow") })).not.toBeChecked();
  });
});
