import * as v from "valibot";
import { decode, problemBody } from "../protocol/decode";
import { Problem, type ErrorCode } from "../protocol/problem";
import type { World } from "./world";

/** Where the current access token comes from. */
export interface TokenSource {
  /** A token that is good now, renewed if need be; null when nobody is signed in. Rejects while it cannot be renewed. */
  token(): Promise<string | null>;
  /** The server did not accept this token: the next `token()` must be another. */
  refused(token: string): void;
}

export interface CallOptions {
  method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  body?: unknown;
  query?: Record<string, string | number | null | undefined>;
  signal?: AbortSignal | undefined;
  /** Calls that sign in carry no token. */
  anonymous?: boolean;
  /** A token other than the session's, for the call that makes the session. */
  token?: string;
}

/** How long a call may take before it counts as not arrived. */
const callTimeoutMs = 30_000;

/** For answers from something in between that speaks no problem+json. */
const codeOfStatus: Record<number, ErrorCode> = {
  400: "bad_request",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  409: "conflict",
  413: "too_large",
  415: "unsupported_media",
  422: "invalid",
  429: "rate_limited",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};

/** Makes the calls of PROTOCOL §2: adds the token, reads answers by schema, turns refusals into a `Problem`. */
export class HttpClient {
  constructor(
    private readonly world: Pick<World, "fetch" | "apiOrigin" | "setTimer" | "clearTimer">,
    private readonly tokens: TokenSource,
  ) {}

  /** The full address of an API path such as `/rooms`. */
  url(path: string, query: CallOptions["query"] = {}): string {
    const parameters = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) {
      if (value !== null && value !== undefined && value !== "") parameters.set(name, String(value));
    }
    const suffix = parameters.size > 0 ? `?${parameters.toString()}` : "";
    return `${this.world.apiOrigin}/api/v1${path}${suffix}`;
  }

  /** Makes a call and reads its answer. */
  async call<T>(schema: v.GenericSchema<unknown, T>, path: string, options: CallOptions = {}): Promise<T> {
    const response = await this.request(path, options);
    let body: unknown;
    try {
      body = await response.json();
    } catch (cause) {
      throw networkProblem(cause, options.signal);
    }
    return decode(schema, body);
  }

  /** Makes a call whose answer may have a body; null if it has none that can be read. */
  async callMaybe<T>(
    schema: v.GenericSchema<unknown, T>,
    path: string,
    options: CallOptions = {},
  ): Promise<T | null> {
    const response = await this.request(path, options);
    const body: unknown = await response.json().catch(() => null);
    const read = v.safeParse(schema, body);
    return read.success ? read.output : null;
  }

  /** Makes a call whose answer has no body, or one of no interest. */
  async tell(path: string, options: CallOptions = {}): Promise<void> {
    await this.request(path, options);
  }

  /** Makes a call and returns the raw answer, once it is known to be a success. */
  async request(path: string, options: CallOptions = {}): Promise<Response> {
    if (options.token !== undefined) return ensureSuccess(await this.attempt(path, options, options.token));
    const token = options.anonymous ? null : await this.tokens.token();
    const first = await this.attempt(path, options, token);
    if (first.status !== 401 || token === null) return ensureSuccess(first);
    // The token may have ended between its check here and its check there; one renewal settles it.
    this.tokens.refused(token);
    const renewed = await this.tokens.token();
    if (renewed === null) return ensureSuccess(first);
    return ensureSuccess(await this.attempt(path, options, renewed));
  }

  private async attempt(path: string, options: CallOptions, token: string | null): Promise<Response> {
    const headers = new Headers({ Accept: "application/json" });
    if (token !== null) headers.set("Authorization", `Bearer ${token}`);
    const isForm = options.body instanceof FormData;
    if (options.body !== undefined && !isForm) headers.set("Content-Type", "application/json");
    const timeout = new AbortController();
    const timer = this.world.setTimer(() => timeout.abort(), callTimeoutMs);
    try {
      return await this.world.fetch(this.url(path, options.query), {
        method: options.method ?? "GET",
        headers,
        // The refresh token is a cookie; it must also go to an API on another origin.
        credentials: this.world.apiOrigin === "" ? "same-origin" : "include",
        signal: options.signal ? AbortSignal.any([options.signal, timeout.signal]) : timeout.signal,
        ...(options.body === undefined
          ? {}
          : { body: isForm ? (options.body as FormData) : JSON.stringify(options.body) }),
      });
    } catch (cause) {
      throw networkProblem(cause, options.signal);
    } finally {
      this.world.clearTimer(timer);
    }
  }
}

/** A caller's own abort stays what it is; everything else is the network. */
function networkProblem(cause: unknown, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  return new Problem("network", cause instanceof Error ? cause.message : "no answer");
}

async function ensureSuccess(response: Response): Promise<Response> {
  if (response.ok) return response;
  throw await problemOf(response);
}

/** Reads a refusal. What is in between may answer with HTML, so the body is only a help. */
export async function problemOf(response: Response): Promise<Problem> {
  const body: unknown = await response.json().catch(() => ({}));
  const read = v.safeParse(problemBody, body);
  const said = read.success ? read.output : { detail: "", title: "", errors: [] };
  const retryAfterSeconds = Number(response.headers.get("Retry-After") ?? Number.NaN);
  return new Problem(
    said.code ?? codeOfStatus[response.status] ?? "internal",
    said.detail || said.title || response.statusText,
    response.status,
    said.errors,
    Number.isFinite(retryAfterSeconds) ? retryAfterSeconds * 1000 : null,
  );
}
