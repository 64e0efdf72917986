import * as v from "valibot";
import * as decoders from "../protocol/decode";
import type { SignedIn, SignUp } from "../protocol/http";
import type { Config } from "../protocol/model";
import { decode } from "../protocol/decode";
import { Problem } from "../protocol/problem";
import { problemOf, type HttpClient } from "./http-client";
import type { World } from "./world";

/** A way to sign in. Every method rejects with a `Problem`; `unauthenticated` says that there is no session (any more). */
export interface Credentials {
  signIn(username: string, password: string): Promise<SignedIn>;
  signUp(account: SignUp): Promise<SignedIn>;
  /** Spends the refresh token for a new pair. */
  refresh(): Promise<SignedIn>;
  signOut(): Promise<void>;
  changePassword(currentPassword: string, newPassword: string): Promise<SignedIn>;
}

/** Accounts of this server. The refresh token is a cookie that only the server reads. */
export function localCredentials(http: HttpClient): Credentials {
  const post = (path: string, body?: unknown) =>
    http.call(decoders.signedIn, path, { method: "POST", body, anonymous: true });
  return {
    signIn: (username, password) => post("/auth/login", { username, password }),
    signUp: (account) => post("/auth/signup", account),
    refresh: () => post("/auth/refresh"),
    signOut: () => http.tell("/auth/logout", { method: "POST", anonymous: true }),
    changePassword: (current, next) =>
      http.call(decoders.signedIn, "/auth/password", {
        method: "POST",
        body: { current_password: current, new_password: next },
      }),
  };
}

const supabaseAnswer = v.object({
  access_token: v.string(),
  refresh_token: v.string(),
  expires_in: v.number(),
});

const supabaseTokenKey = "blabber-hive-supabase-refresh";

/** Accounts of a Supabase project: its sign-in service gives the tokens, this server believes them. */
export function supabaseCredentials(
  http: HttpClient,
  world: Pick<World, "fetch" | "now">,
  auth: Config["auth"],
): Credentials {
  const call = async (path: string, body: unknown, token?: string): Promise<Response> => {
    const response = await world
      .fetch(`${auth.supabase_url ?? ""}/auth/v1${path}`, {
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          apikey: auth.supabase_anon_key ?? "",
          ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify(body),
      })
      .catch((cause: unknown) => {
        throw new Problem("network", cause instanceof Error ? cause.message : "no answer");
      });
    // The sign-in service says 400 to a wrong password and to a spent token alike.
    if (response.status === 400) throw new Problem("unauthenticated", "sign-in was refused", 400);
    if (!response.ok) throw await problemOf(response);
    return response;
  };
  const accept = async (response: Response): Promise<SignedIn> => {
    const answer = decode(supabaseAnswer, await response.json());
    localStorage.setItem(supabaseTokenKey, answer.refresh_token);
    const user = await http.call(decoders.me, "/me", { token: answer.access_token });
    return {
      user,
      access_token: answer.access_token,
      expires_at: new Date(world.now() + answer.expires_in * 1000).toISOString(),
    };
  };
  return {
    signIn: async (email, password) => accept(await call("/token?grant_type=password", { email, password })),
    signUp: async ({ email, password, username, display_name }) =>
      accept(await call("/signup", { email, password, data: { username, display_name } })),
    refresh: async () => {
      const refresh_token = localStorage.getItem(supabaseTokenKey);
      if (refresh_token === null) throw new Problem("unauthenticated", "nobody is signed in", 401);
      return accept(await call("/token?grant_type=refresh_token", { refresh_token }));
    },
    signOut: () => {
      // The token that is left ends by itself within the hour; nothing here can use it any more.
      localStorage.removeItem(supabaseTokenKey);
      return Promise.resolve();
    },
    changePassword: () =>
      Promise.reject(new Problem("forbidden", "the password belongs to the sign-in service")),
  };
}
