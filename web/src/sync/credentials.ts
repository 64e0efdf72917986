import * as decoders from "../protocol/decode";
import type { SignedIn, SignUp } from "../protocol/http";
import type { HttpClient } from "./http-client";

/** A way to sign in. Every method rejects with a `Problem`; `unauthenticated` says that there is no session (any more). */
export interface Credentials {
  signIn(username: string, password: string): Promise<SignedIn>;
  /** Null where the person has to confirm an e-mail address before they can sign in. */
  signUp(account: SignUp): Promise<SignedIn | null>;
  /** Spends the refresh token, which is not here but where the session is kept, for a new pair. */
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
