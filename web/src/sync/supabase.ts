import type { AuthError, Session, SupabaseClient } from "@supabase/supabase-js";
import * as decoders from "../protocol/decode";
import type { SignedIn } from "../protocol/http";
import type { Config } from "../protocol/model";
import { Problem, type FieldError } from "../protocol/problem";
import type { Credentials } from "./credentials";
import type { HttpClient } from "./http-client";
import type { World } from "./world";

/** Where the project's session is kept on this device, for all pages of the browser. */
const storageKey = "blabber-hive-supabase";

/** What this server says of somebody whom the project has just signed in: no matter of the password. */
const notLetIn = new Set(["unauthenticated", "forbidden"]);

/**
 * Accounts of a Supabase project: its sign-in service gives the tokens, this server believes them. Its library is loaded
 * when it is first needed, so that who has no use for it does not pay for it. When to renew is the session keeper's to
 * say, as with local accounts; the library only keeps the session and talks to the project.
 */
export function supabaseCredentials(
  http: HttpClient,
  world: Pick<World, "fetch" | "now">,
  auth: Config["auth"],
): Credentials {
  let loading: Promise<SupabaseClient["auth"]> | null = null;
  const project = (): Promise<SupabaseClient["auth"]> => {
    loading ??= import("@supabase/supabase-js").then(
      ({ createClient }) =>
        createClient(auth.supabase_url ?? "", auth.supabase_anon_key ?? "", {
          auth: {
            storageKey,
            persistSession: true,
            autoRefreshToken: false,
            // A link from a mail confirms an address and signs nobody in: nobody can be led into another's account by one.
            flowType: "pkce",
            detectSessionInUrl: false,
          },
          global: { fetch: (url, init) => world.fetch(addressOf(url), init ?? {}) },
        }).auth,
      (cause: unknown) => {
        loading = null; // another attempt may find it
        throw new Problem("network", cause instanceof Error ? cause.message : "not loaded");
      },
    );
    return loading;
  };

  const accept = async (session: Session): Promise<SignedIn> => {
    const user = await http.call(decoders.me, "/me", { token: session.access_token });
    return {
      user,
      access_token: session.access_token,
      expires_at: new Date(world.now() + session.expires_in * 1000).toISOString(),
    };
  };

  /** The project knows the person; whether this server lets them in is another matter. */
  const enter = async (session: Session): Promise<SignedIn> => {
    try {
      return await accept(session);
    } catch (problem) {
      if (!(problem instanceof Problem) || !notLetIn.has(problem.code)) throw problem;
      await signOut().catch(() => undefined);
      throw new Problem("forbidden", problem.detail, problem.status);
    }
  };

  const signOut = async (): Promise<void> => {
    try {
      await (await project()).signOut({ scope: "local" });
    } finally {
      localStorage.removeItem(storageKey);
    }
  };

  return {
    signIn: async (email, password) => {
      const { data, error } = await (await project()).signInWithPassword({ email, password });
      if (error) throw problemOf(error);
      return enter(data.session);
    },
    signUp: async ({ email, password, username, display_name }) => {
      const { data, error } = await (
        await project()
      ).signUp({
        email: email ?? "",
        password,
        options: { data: { username, display_name }, emailRedirectTo: `${location.origin}/signin` },
      });
      if (error) throw problemOf(error);
      return data.session === null ? null : enter(data.session);
    },
    refresh: async () => {
      const { data, error } = await (await project()).refreshSession();
      if (error) throw problemOf(error);
      if (data.session === null) throw new Problem("unauthenticated", "nobody is signed in", 401);
      try {
        return await accept(data.session);
      } catch (problem) {
        if (!(problem instanceof Problem) || problem.code !== "forbidden") throw problem;
        throw new Problem("unauthenticated", problem.detail, problem.status);
      }
    },
    signOut,
    changePassword: () =>
      Promise.reject(new Problem("forbidden", "the password belongs to the sign-in service")),
  };
}

function addressOf(url: RequestInfo | URL): string {
  return url instanceof Request ? url.url : String(url);
}

/** Which field of the form a refusal is about, by the project's own words. */
const fieldOfCode: Readonly<Record<string, FieldError>> = {
  email_not_confirmed: { field: "email", message: "unconfirmed" },
  user_already_exists: { field: "email", message: "taken" },
  email_exists: { field: "email", message: "taken" },
  email_address_invalid: { field: "email", message: "invalid" },
  email_address_not_authorized: { field: "email", message: "invalid" },
  validation_failed: { field: "email", message: "invalid" },
  weak_password: { field: "password", message: "weak" },
};

const refusedCodes = new Set([
  "signup_disabled",
  "email_provider_disabled",
  "user_banned",
  "captcha_failed",
  "insufficient_aal",
]);

/** What the project said, in this app's words. What it did not say must never count as a refusal, which ends a session. */
function problemOf(error: AuthError): Problem {
  const { message, name, code = "" } = error;
  const status = error.status ?? 0;
  const field = fieldOfCode[code];
  if (name === "AuthRetryableFetchError")
    return new Problem(status === 0 ? "network" : "unavailable", message, status);
  if (name === "AuthSessionMissingError") return new Problem("unauthenticated", message, 401);
  if (status === 429) return new Problem("rate_limited", message, status);
  if (field !== undefined) return new Problem("invalid", message, status, [field]);
  if (refusedCodes.has(code)) return new Problem("forbidden", message, status);
  // It says 400 to a wrong password and to a spent token alike.
  if (name === "AuthApiError" && status >= 400 && status < 500)
    return new Problem("unauthenticated", message, status);
  return new Problem("unavailable", message, status);
}
