import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Config } from "../protocol/model";
import { HttpClient } from "./http-client";
import { supabaseCredentials } from "./supabase";
import type { Timer } from "./world";

const auth: Config["auth"] = {
  provider: "supabase",
  signup: true,
  supabase_url: "https://abc.supabase.test",
  supabase_anon_key: "public",
};

const me = {
  id: "u1",
  username: "mina",
  display_name: "Mina",
  avatar_url: null,
  email: "",
  status: "",
  admin: false,
};

const session = {
  access_token: "e30.e30.e30",
  refresh_token: "first",
  token_type: "bearer",
  expires_in: 3600,
  user: { id: "u1", aud: "authenticated", email: "mina@example.com", created_at: "2026-01-01T00:00:00Z" },
};

/** Credentials whose project and server answer as given; `calls` are what they were asked. */
function setUp(answers: Record<string, () => Response>) {
  const calls: string[] = [];
  const fetch = (url: string): Promise<Response> => {
    const call = url.replace(/^https:\/\/abc\.supabase\.test\/auth/, "").replace(/&.*/, "");
    calls.push(call);
    const answer = Object.entries(answers).find(([part]) => call.includes(part))?.[1];
    return answer === undefined
      ? Promise.reject(new TypeError("Failed to fetch"))
      : Promise.resolve(answer());
  };
  const http = new HttpClient(
    { fetch, apiOrigin: "", setTimer: () => ({}) as Timer, clearTimer: () => undefined },
    { token: () => Promise.resolve(null), refused: () => undefined },
  );
  return { calls, credentials: supabaseCredentials(http, { fetch, now: () => Date.now() }, auth) };
}

const json = (status: number, body: unknown) => () => Response.json(body, { status });
const refusal = (status: number, error_code: string) =>
  json(status, { code: status, error_code, msg: error_code });
const ok = json(200, session);
const known = json(200, { ...me, created_at: "2026-01-01T00:00:00.000Z" });

describe("signing in through a project", () => {
  beforeEach(() => {
    localStorage.clear();
    // Each test has a client of its own under one storage key, of which the library warns.
    vi.spyOn(console, "warn").mockImplementation(() => undefined);
  });

  test("the project signs in, this server says who it is", async () => {
    const { credentials, calls } = setUp({ "/token": ok, "/me": known });
    await expect(credentials.signIn("mina@example.com", "long enough")).resolves.toMatchObject({
      user: { username: "mina" },
      access_token: session.access_token,
    });
    expect(calls).toEqual(["/v1/token?grant_type=password", "/api/v1/me"]);
  });

  test.each([
    ["a wrong password", refusal(400, "invalid_credentials"), { code: "unauthenticated" }],
    [
      "an address to confirm",
      refusal(400, "email_not_confirmed"),
      { errors: [{ field: "email", message: "unconfirmed" }] },
    ],
    ["too many attempts", refusal(429, "over_request_rate_limit"), { code: "rate_limited" }],
    ["somebody banned", refusal(403, "user_banned"), { code: "forbidden" }],
    ["a project in trouble", json(503, {}), { code: "unavailable" }],
    [
      "an older project's words",
      json(400, { error: "invalid_grant", error_description: "no" }),
      { code: "unauthenticated" },
    ],
  ])("%s is said as what it is", async (_, token, problem) => {
    const { credentials } = setUp({ "/token": token });
    await expect(credentials.signIn("mina@example.com", "long enough")).rejects.toMatchObject(problem);
  });

  test("whom this server does not let in has no session left, and is not told that the password is wrong", async () => {
    const refused = json(401, { code: "unauthenticated", detail: "disabled" });
    const { credentials, calls } = setUp({
      "/token": ok,
      "/me": refused,
      "/logout": () => new Response(null, { status: 204 }),
    });
    await expect(credentials.signIn("mina@example.com", "long enough")).rejects.toMatchObject({
      code: "forbidden",
    });
    expect(calls.at(-1)).toContain("/v1/logout");
    expect(localStorage.length).toBe(0);
  });

  test("an account whose address must be confirmed is no session yet", async () => {
    const { credentials } = setUp({ "/signup": json(200, session.user) });
    const account = { username: "mina", email: "mina@example.com", password: "long enough" };
    await expect(credentials.signUp(account)).resolves.toBeNull();
  });

  test("a renewal ends a session when it is refused, and never because nobody answered", async () => {
    const signedIn = setUp({ "/token": ok, "/me": known });
    await signedIn.credentials.signIn("mina@example.com", "long enough");
    const away = setUp({ "/token": ok });
    await expect(away.credentials.refresh()).rejects.toMatchObject({ code: "network" });
    const closed = setUp({ "/token": ok, "/me": json(403, { code: "forbidden", detail: "no" }) });
    await expect(closed.credentials.refresh()).rejects.toMatchObject({ code: "unauthenticated" });
    const spent = setUp({ "/token": refusal(400, "refresh_token_not_found") });
    await expect(spent.credentials.refresh()).rejects.toMatchObject({ code: "unauthenticated" });
    const nobody = setUp({});
    localStorage.clear();
    await expect(nobody.credentials.refresh()).rejects.toMatchObject({ code: "unauthenticated" });
    expect(nobody.calls).toEqual([]);
  });

  test("signing out leaves nothing on the device, also offline", async () => {
    const { credentials } = setUp({ "/token": ok, "/me": known });
    await credentials.signIn("mina@example.com", "long enough");
    expect(localStorage.length).toBeGreaterThan(0);
    await setUp({})
      .credentials.signOut()
      .catch(() => undefined);
    expect(localStorage.length).toBe(0);
  });
});
