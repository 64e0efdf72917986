import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/** So long a spent refresh token gives the session's newest one again: for pages that end before they hear the answer. */
const reuseMs = 10_000;

const base64url = (value) => Buffer.from(value).toString("base64url");

/**
 * A sign-in service as a Supabase project has one, as far as its own client library asks for it: sign-up with or without a
 * mail to confirm, passwords, refresh tokens that work once, sign-out, and keys that rotate.
 */
export class GoTrue {
  #server = null;
  #keys = [];
  #people = new Map(); // by e-mail address
  #sessions = new Map(); // by refresh token
  #spent = new Map(); // by refresh token: when, and whose
  confirms = false;
  tokenSeconds = 3600;
  /** Every call that arrived: `POST /token?grant_type=password`. */
  calls = [];

  static async start() {
    const service = new GoTrue();
    service.rotate();
    service.#server = createServer((request, answer) => void service.#serve(request, answer));
    service.#server.listen(0, "127.0.0.1");
    await once(service.#server, "listening");
    service.origin = `http://127.0.0.1:${service.#server.address().port}`;
    return service;
  }

  async close() {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, "close");
  }

  /** What a chat server is told of it. */
  get env() {
    return { SUPABASE_URL: this.origin, SUPABASE_ANON_KEY: "public" };
  }

  /** Signs with a new key from now on; the last one is still told. */
  rotate() {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const jwk = { ...publicKey.export({ format: "jwk" }), kid: randomUUID(), alg: "ES256", use: "sig" };
    this.#keys = [{ privateKey, jwk }, ...this.#keys].slice(0, 2);
  }

  /** What the link in the mail does. */
  confirm(email) {
    this.#people.get(email).confirmed = true;
  }

  /** How many sessions can be refreshed. */
  get sessions() {
    return this.#sessions.size;
  }

  count(call) {
    return this.calls.filter((made) => made === call).length;
  }

  async #serve(request, answer) {
    const cors = {
      "access-control-allow-origin": request.headers.origin ?? "*",
      "access-control-allow-headers": request.headers["access-control-request-headers"] ?? "*",
      "access-control-allow-methods": "GET, POST, PUT",
    };
    const say = (status, body) => {
      answer.writeHead(status, { ...cors, "content-type": "application/json" });
      answer.end(body === undefined ? "" : JSON.stringify(body));
    };
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    const path = pathname.replace(/^\/auth\/v1/, "");
    if (request.method === "OPTIONS") return say(204);
    const grant = searchParams.get("grant_type");
    this.calls.push(`${request.method} ${path}${grant === null ? "" : `?grant_type=${grant}`}`);
    if (request.headers.apikey !== "public") return say(401, { message: "No API key found in request" });
    let text = "";
    for await (const chunk of request) text += chunk;
    const body = text === "" ? {} : JSON.parse(text);
    const token = request.headers.authorization?.replace("Bearer ", "");
    switch (`${request.method} ${path}`) {
      case "GET /.well-known/jwks.json":
        return say(200, { keys: this.#keys.map(({ jwk }) => jwk) });
      case "POST /signup":
        return say(...this.#signUp(body));
      case "POST /token":
        return say(...(grant === "password" ? this.#signIn(body) : this.#refresh(body)));
      case "GET /user":
        return say(200, this.#personOf(token));
      case "POST /logout": {
        const { session_id } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
        for (const [refresh, session] of this.#sessions) {
          if (session.id === session_id) this.#sessions.delete(refresh);
        }
        return say(204);
      }
      default:
        return say(404, { message: "not found" });
    }
  }

  #signUp({ email, password, data }) {
    if (this.#people.has(email)) return refusal(422, "user_already_exists", "User already registered");
    if (password.length < 8) return refusal(422, "weak_password", "Password should be at least 8 characters");
    const person = { id: randomUUID(), email, hash: hashOf(password), data, confirmed: !this.confirms };
    this.#people.set(email, person);
    return [200, person.confirmed ? this.#grant(person, randomUUID()) : userOf(person)];
  }

  #signIn({ email, password }) {
    const person = this.#people.get(email);
    if (person?.hash !== hashOf(password))
      return refusal(400, "invalid_credentials", "Invalid login credentials");
    if (!person.confirmed) return refusal(400, "email_not_confirmed", "Email not confirmed");
    return [200, this.#grant(person, randomUUID())];
  }

  #refresh({ refresh_token }) {
    const session = this.#sessions.get(refresh_token);
    if (session) {
      this.#sessions.delete(refresh_token);
      this.#spent.set(refresh_token, { atMs: Date.now(), session });
      return [200, this.#grant(session.person, session.id)];
    }
    const spent = this.#spent.get(refresh_token);
    const newest = [...this.#sessions].find(([, { id }]) => id === spent?.session.id)?.[0];
    if (newest === undefined || Date.now() - spent.atMs > reuseMs) {
      return refusal(400, "refresh_token_not_found", "Invalid Refresh Token: Refresh Token Not Found");
    }
    return [200, this.#grant(spent.session.person, spent.session.id, newest)];
  }

  #personOf(token) {
    const { sub } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    return userOf([...this.#people.values()].find(({ id }) => id === sub));
  }

  #grant(person, sessionId, refresh_token = randomBytes(12).toString("base64url")) {
    this.#sessions.set(refresh_token, { id: sessionId, person });
    const now = Math.floor(Date.now() / 1000);
    const access_token = this.#sign({
      iss: `${this.origin}/auth/v1`,
      aud: "authenticated",
      sub: person.id,
      role: "authenticated",
      iat: now,
      exp: now + this.tokenSeconds,
      email: person.email,
      session_id: sessionId,
      user_metadata: person.data ?? {},
      is_anonymous: false,
    });
    const life = { expires_in: this.tokenSeconds, expires_at: now + this.tokenSeconds };
    return { access_token, refresh_token, token_type: "bearer", ...life, user: userOf(person) };
  }

  #sign(claims) {
    const [{ privateKey, jwk }] = this.#keys;
    const head = base64url(JSON.stringify({ alg: "ES256", typ: "JWT", kid: jwk.kid }));
    const signed = `${head}.${base64url(JSON.stringify(claims))}`;
    const signature = sign("sha256", Buffer.from(signed), { key: privateKey, dsaEncoding: "ieee-p1363" });
    return `${signed}.${signature.toString("base64url")}`;
  }
}

function hashOf(password) {
  return createHash("sha256").update(password).digest("hex");
}

function refusal(code, error_code, msg) {
  return [code, { code, error_code, msg }];
}

function userOf({ id, email, data, confirmed }) {
  const at = new Date().toISOString();
  return {
    id,
    aud: "authenticated",
    role: "authenticated",
    email,
    ...(confirmed && { email_confirmed_at: at }),
    user_metadata: data ?? {},
    app_metadata: { provider: "email" },
    identities: [{ id, provider: "email" }],
    created_at: at,
    updated_at: at,
  };
}
