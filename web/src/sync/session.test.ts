import { describe, expect, test } from "vitest";
import { settle, until } from "../testing/fake-clock";
import { fakeWorld } from "../testing/fake-browser";
import { tokenLifeMs } from "../testing/fake-server";
import { bodies, scene } from "../testing/scene";

describe("the session", () => {
  test("a stranger is asked to sign in, and is in when the password is right", async () => {
    const { server, browser } = fakeWorld();
    const mina = server.addUser("mina");
    server.addRoom("general", [mina]);
    const page = await browser.openPage();
    expect(page.sync.views.session()).toEqual({ status: "signed-out", reason: "none" });
    await expect(page.sync.session.signIn("mina", "wrong")).rejects.toMatchObject({
      code: "unauthenticated",
    });
    expect(page.sync.views.session()).toEqual({ status: "signed-out", reason: "none" });
    await page.sync.session.signIn("mina", "minamina");
    await until(() => page.sync.views.rooms().rooms.length === 1);
    expect(page.sync.views.session()).toMatchObject({ status: "signed-in", confirmed: true });
  });

  test("a new account is signed in at once; what is wrong with it is said by field", async () => {
    const { server, browser } = fakeWorld();
    server.addUser("mina");
    const page = await browser.openPage();
    const { session } = page.sync;
    await expect(session.signUp({ username: "mina", password: "long enough" })).rejects.toMatchObject({
      code: "username_taken",
    });
    await expect(session.signUp({ username: "jun", password: "short" })).rejects.toMatchObject({
      code: "invalid",
      errors: [{ field: "password" }],
    });
    await session.signUp({ username: "jun", password: "long enough" });
    await until(() => page.sync.views.rooms().status === "ready");
    expect(page.sync.views.session()).toMatchObject({ status: "signed-in", me: { username: "jun" } });
  });

  test("pages of one browser spend one refresh token one after the other, and share the answer", async () => {
    const { server, browser } = scene();
    const pages = await Promise.all([browser.openPage(), browser.openPage(), browser.openPage()]);
    await settle();
    for (const page of pages) expect(page.sync.views.session()).toMatchObject({ confirmed: true });
    browser.http.calls.length = 0;
    await server.clock.advance(tokenLifeMs);
    expect(browser.http.calls.filter((call) => call === "POST /auth/refresh")).toHaveLength(1);
    for (const page of pages) expect(page.sync.views.connection()).toEqual({ status: "ok" });
  });

  test("without locks a page that lost the race for the refresh token finds the new one", async () => {
    const { server, browser } = scene({ locks: false });
    const first = await browser.openPage();
    await server.clock.advance(1_000);
    // Another page spends the token; its answer, and with it the new cookie, is still on its way.
    const renewed = server.refresh(browser.jar.refreshToken)!;
    server.tokens.clear();
    server.cut(4401);
    await server.clock.advance(500);
    expect(browser.http.calls.at(-1)).toBe("POST /auth/refresh");
    browser.jar.refreshToken = renewed.refreshToken;
    await server.clock.advance(3_000);
    expect(first.sync.views.session()).toMatchObject({ status: "signed-in" });
    expect(first.sync.views.connection()).toEqual({ status: "ok" });
  });

  test("a page that sleeps with the lock does not keep the others signed out for ever", async () => {
    const { server, browser, clock } = scene();
    const held = browser.http.hold(/refresh/);
    const sleeping = await browser.openPage();
    await until(() => held.waiting === 1);
    const page = await browser.openPage();
    await clock.advance(14_000);
    expect(page.sync.views.session()).toEqual({ status: "restoring" });
    browser.jar.refreshToken = server.signIn(server.accounts.keys().next().value!).refreshToken;
    await clock.advance(2_000);
    held.release();
    await clock.advance(2_000);
    expect(page.sync.views.session()).toMatchObject({ status: "signed-in", confirmed: true });
    await sleeping.crash();
  });

  test("a call whose token has just ended is made again with a new one", async () => {
    const { server, browser, room } = scene();
    const page = await browser.openPage();
    server.tokens.clear();
    await page.sync.read.setNotify(room.id, "none");
    expect(browser.http.calls.filter((call) => call.includes("/notify"))).toHaveLength(2);
    expect(page.sync.views.rooms().rooms[0]!.notify).toBe("none");
  });

  test("an outage while renewing is no sign-out: the session goes on when the server is back", async () => {
    const { server, browser, room, jun } = scene();
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    server.reachable = false;
    server.cut();
    await server.clock.advance(2 * tokenLifeMs);
    expect(page.sync.views.session()).toMatchObject({ status: "signed-in" });
    server.say(room, jun, "while you were out");
    server.reachable = true;
    await server.clock.advance(60_000);
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
    expect(bodies(page, room.id)).toEqual(["while you were out"]);
  });

  test("changing the password keeps this browser signed in", async () => {
    const { server, browser } = scene();
    const page = await browser.openPage();
    await page.sync.session.changePassword("minamina", "a new password");
    await server.clock.advance(5_000);
    expect(page.sync.views.session()).toMatchObject({ status: "signed-in" });
    expect(page.sync.views.connection()).toEqual({ status: "ok" });
  });

  test("the next person on the same browser sees nothing of the one before", async () => {
    const { server, browser, room, clock } = scene({ messages: 3 });
    const ada = server.addUser("ada");
    const page = await browser.openPage();
    page.sync.timeline.open(room.id);
    page.sync.messages.setDraft(room.id, { text: "secret", replyTo: null });
    await clock.advance(1_000);
    await page.sync.session.signOut();
    await page.sync.session.signIn("ada", "adaada");
    await clock.advance(1_000);
    expect(page.sync.views.session()).toMatchObject({ me: { id: ada.id } });
    expect(page.sync.views.rooms()).toEqual({ status: "ready", rooms: [] });
    expect(page.sync.views.draft(room.id).text).toBe("");
    expect(page.sync.views.room(room.id)).toEqual({ status: "absent" });
  });

  test("an answer for the person before that comes late reaches nobody", async () => {
    const { server, browser, room, clock } = scene({ messages: 3 });
    server.addUser("ada");
    const page = await browser.openPage();
    const held = browser.http.hold(/members|messages|changes/);
    page.sync.timeline.open(room.id);
    void page.sync.loadMembers(room.id).catch(() => undefined);
    await until(() => held.waiting === 2);
    await page.sync.session.signOut();
    await page.sync.session.signIn("ada", "adaada");
    held.release();
    await clock.advance(1_000);
    expect(page.sync.views.members(room.id).members).toEqual([]);
    expect(page.sync.views.timeline(room.id).items.length).toBe(0);
  });
});
