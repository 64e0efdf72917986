import assert from "node:assert/strict";
import { after } from "node:test";
import { password } from "./support/api.mjs";
import { GoTrue } from "./support/gotrue.mjs";
import { scenario } from "./support/scenario.mjs";
import { gone, message, say, seen, sidebar } from "./support/steps.mjs";
import { until } from "./support/wait.mjs";

const project = await GoTrue.start();

after(() => project.close());

async function fill(page, { email, username, secret = password }) {
  await page.getByLabel("E-mail address").fill(email);
  if (username) await page.getByLabel("Username").fill(username);
  await page.getByLabel("Password", { exact: true }).fill(secret);
}

async function signUp(page, email, username) {
  await fill(page, { email, username });
  await page.getByRole("button", { name: "Create account" }).click();
}

async function signIn(page, email, secret) {
  await fill(page, { email, secret });
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

async function signOut(page) {
  await page.goto("/settings");
  await page.getByRole("button", { name: "Sign out" }).click();
  await seen(page.getByRole("heading", { name: "Sign in" }));
}

/** The frames of each socket that a page opens. */
function watchSockets(page) {
  const sockets = [];
  page.on("websocket", (socket) => {
    const frames = { sent: [], open: true };
    sockets.push(frames);
    socket.on("framesent", ({ payload }) => frames.sent.push(JSON.parse(String(payload)).type));
    socket.on("close", () => (frames.open = false));
  });
  return sockets;
}

scenario(
  "people sign up through a project, talk while tokens are renewed and keys rotate, and sign out",
  async (world) => {
    project.confirms = false;
    project.tokenSeconds = 3600;
    world.guard.allowHost(project.origin);
    world.guard.allow(/status of 4(00|22) .*\/auth\/v1\//);

    // One signs up; what is wrong is said beside its field.
    const mina = await world.stranger();
    await mina.goto("/");
    await signIn(mina, "mina@example.com", "not the password");
    await seen(mina.getByText("That e-mail address and password do not go together."));
    assert.equal(await mina.getByLabel("Password", { exact: true }).getAttribute("aria-invalid"), "true");
    await mina.getByRole("link", { name: "Create an account" }).click();
    await signUp(mina, "mina", "mina");
    await seen(mina.getByText("This does not look like an e-mail address."));
    await signUp(mina, "mina@example.com", "mina");
    await seen(sidebar(mina));
    await mina.getByRole("button", { name: "Make a room" }).click();
    const dialog = mina.getByRole("dialog", { name: "New room" });
    await dialog.getByLabel("Name").fill("tea");
    await dialog.getByRole("button", { name: "Make room" }).click();
    await say(mina, "Who is there?");

    // Another, in Korean and by the same name, whose address is taken at first. Both get a name of their own.
    project.tokenSeconds = 12;
    const jun = await world.stranger();
    const sockets = watchSockets(jun);
    await jun.goto("/signup");
    await signUp(jun, "mina@example.com", "mina");
    await seen(jun.getByText("There is an account with that address."));
    await signUp(jun, "jun@example.com", "mina");
    await seen(sidebar(jun));
    await jun.getByRole("button", { name: "Browse rooms" }).first().click();
    await jun.getByRole("button", { name: "Join tea" }).click();
    await seen(message(jun, "Who is there?"));
    await say(jun, "I am");
    await seen(message(mina, "I am"));

    // Another tab shares the session. Tokens end after 12 s: they are renewed before, by keys that change, once for both
    // tabs, and the socket lives on with the next one.
    const second = await jun.context().newPage();
    await second.goto(jun.url());
    await seen(message(second, "I am"));
    const before = project.count("POST /token?grant_type=refresh_token");
    project.rotate();
    await until("two renewals", () => project.count("POST /token?grant_type=refresh_token") >= before + 2);
    await until(
      "the next token is on its socket",
      () => sockets[0].sent.filter((type) => type === "auth").length >= 3,
    );
    assert.equal(sockets.length, 1);
    assert.ok(sockets[0].open);
    await say(mina, "Good to hear");
    await seen(message(jun, "Good to hear"));
    await seen(message(second, "Good to hear"));

    // A reload finds the session again; signing out in one tab signs the other out, and nothing is left of it.
    await jun.reload();
    await seen(message(jun, "Good to hear"));
    await signOut(jun);
    await seen(second.getByRole("heading", { name: "Sign in" }));
    await until("the project's session has ended", () => project.sessions === 1);
    await jun.reload();
    await seen(jun.getByRole("heading", { name: "Sign in" }));
    assert.deepEqual(
      await jun.evaluate(() => Object.keys(localStorage).filter((key) => key.includes("supabase"))),
      [],
    );

    // And in again, as the same person.
    await signIn(jun, "jun@example.com");
    await seen(sidebar(jun));
    await jun.getByRole("link", { name: /^tea/ }).click();
    await say(jun, "Back again");
    await seen(message(mina, "Back again"));
  },
  { env: project.env },
);

scenario(
  "an e-mail address is confirmed first; an operator's word ends a session for good",
  async (world) => {
    project.confirms = true;
    project.tokenSeconds = 3600;
    world.guard.allowHost(project.origin);
    world.guard.allow(/status of 400 .*\/auth\/v1\//);
    world.guard.allow(/status of 401 /);

    const bo = await world.stranger({ locale: "ko-KR" });
    await bo.goto("/signup");
    await bo.getByLabel("이메일 주소").fill("bo@example.com");
    await bo.getByLabel("아이디").fill("bo");
    await bo.getByLabel("비밀번호", { exact: true }).fill(password);
    await bo.getByRole("button", { name: "계정 만들기" }).click();
    await seen(bo.getByRole("heading", { name: "메일함을 확인해 주세요" }));
    await bo.getByRole("link", { name: "로그인" }).click();
    const enter = async () => {
      await bo.getByLabel("이메일 주소").fill("bo@example.com");
      await bo.getByLabel("비밀번호", { exact: true }).fill(password);
      await bo.getByRole("button", { name: "로그인", exact: true }).click();
    };
    await enter();
    await seen(bo.getByText("먼저 받은 메일의 링크를 눌러"));
    project.confirm("bo@example.com");
    await bo.goto("/signin?code=of-the-mail");
    await seen(bo.getByText("이메일 주소를 확인했어요."));
    await enter();
    await gone(bo.getByLabel("이메일 주소"));
    await until("the account is made", async () =>
      (await world.server.command("user", "list")).stdout.includes("bo"),
    );
    await bo.goto("/settings");
    await seen(bo.getByRole("button", { name: "로그아웃" }));
    assert.equal(await bo.getByLabel("현재 비밀번호").count(), 0);

    await world.server.command("user", "disable", "bo");
    await seen(bo.getByLabel("이메일 주소"));
    await enter();
    await seen(bo.getByText("이 서버에 들어갈 수 없어요."));
  },
  { env: project.env },
);
