import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Api } from "./support/api.mjs";
import { launch } from "./support/browser.mjs";
import { scenario } from "./support/scenario.mjs";
import { startServer } from "./support/server.mjs";
import { message, say, seen, sidebar, signUp } from "./support/steps.mjs";

const types = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
  ".webmanifest": "application/manifest+json",
};

/** A host of static files that reads `_headers` and `_redirects` as Cloudflare Pages and Netlify do. */
class StaticHost {
  static async start() {
    const host = new StaticHost();
    host.folder = await mkdtemp(join(tmpdir(), "blabber-hive-static-"));
    host.server = createServer((request, response) => void host.#answer(request, response));
    host.server.listen(0, "127.0.0.1");
    await once(host.server, "listening");
    host.origin = `http://127.0.0.1:${host.server.address().port}`;
    return host;
  }

  /** Fills it with the built client for a server. */
  async publish(api) {
    const script = fileURLToPath(new URL("../../scripts/web-static.mjs", import.meta.url));
    await promisify(execFile)(process.execPath, [script, this.folder, api]);
    this.headers = await readFile(join(this.folder, "_headers"), "utf8");
    this.redirects = await readFile(join(this.folder, "_redirects"), "utf8");
  }

  async close() {
    this.server.closeAllConnections();
    this.server.close();
    await rm(this.folder, { recursive: true, force: true });
  }

  async #answer(request, response) {
    const asked = new URL(request.url, this.origin).pathname;
    let pattern = "";
    for (const line of (this.headers ?? "").split("\n")) {
      if (line.startsWith("/")) pattern = line.trim();
      else if (line.trim() !== "" && matches(pattern, asked)) {
        const [name, ...value] = line.trim().split(": ");
        response.setHeader(name, value.join(": "));
      }
    }
    const rule = (this.redirects ?? "").split("\n").find((line) => matches(line.split(" ")[0], asked));
    const path = rule === undefined ? asked : rule.split(" ")[1];
    const file = join(this.folder, path.endsWith("/") ? `${path}index.html` : path);
    const found = await stat(file).then(
      (it) => it.isFile(),
      () => false,
    );
    response.statusCode = found ? 200 : 404;
    const bytes = found ? await readFile(file) : Buffer.from("");
    response.setHeader("Content-Type", types[extname(file)] ?? "application/octet-stream").end(bytes);
  }
}

function matches(pattern, path) {
  return pattern.endsWith("/*") ? path.startsWith(pattern.slice(0, -1)) : pattern !== "" && pattern === path;
}

const host = await StaticHost.start();

after(() => host.close());

/** What a page of an origin gets of a server, over HTTP and over a socket. */
async function tries(page, server, token) {
  return page.evaluate(
    async ({ server, token }) => {
      const http = await fetch(`${server}/api/v1/rooms`, {
        headers: { Authorization: `Bearer ${token}` },
        credentials: "include",
      }).then(
        (answer) => String(answer.status),
        () => "refused",
      );
      const socket = await new Promise((resolve) => {
        const opened = new WebSocket(`${server.replace("http", "ws")}/ws`);
        opened.onopen = () => opened.send(JSON.stringify({ type: "auth", token }));
        opened.onmessage = ({ data }) => resolve(JSON.parse(data).type);
        opened.onclose = ({ code }) => resolve(code);
      });
      return { http, socket };
    },
    { server, token },
  );
}

scenario(
  "people chat in a client that is hosted apart from its server, and pages of other origins are refused",
  async (world) => {
    await host.publish(world.origin);
    world.guard.allowHost(host.origin);

    const mina = await world.stranger();
    await mina.goto(`${host.origin}/signup`);
    await signUp(mina, "mina");
    await seen(sidebar(mina));
    await mina.getByRole("button", { name: "Make a room" }).click();
    const dialog = mina.getByRole("dialog", { name: "New room" });
    await dialog.getByLabel("Name").fill("tea");
    await dialog.getByRole("button", { name: "Make room" }).click();
    await say(mina, "Who is there?");

    const jun = await world.stranger();
    await jun.goto(`${host.origin}/signup`);
    await signUp(jun, "jun");
    await seen(sidebar(jun));
    await jun.getByRole("button", { name: "Browse rooms" }).first().click();
    await jun.getByRole("button", { name: "Join tea" }).click();
    await seen(message(jun, "Who is there?"));
    await say(jun, "I am");
    await seen(message(mina, "I am"));

    // A room's own address is loaded anew, and its session is found by the cookie of the other origin.
    assert.match(mina.url(), new RegExp(`^${host.origin}/rooms/`));
    await mina.reload();
    await seen(message(mina, "I am"));
    await say(mina, "Good to hear");
    await seen(message(jun, "Good to hear"));

    // Nobody has allowed a third origin, not even with a token, and in a browser that has the cookie.
    const { token } = await Api.signUp(world.origin, "eve", "Eve");
    assert.deepEqual(await tries(mina, world.origin, token), { http: "200", socket: "ready" });
    const third = createServer((_request, response) => {
      response.setHeader("content-type", "text/html").end("<title>third</title>");
    }).listen(0, "127.0.0.1");
    await once(third, "listening");
    try {
      const elsewhere = `http://127.0.0.1:${third.address().port}`;
      world.guard.allowHost(elsewhere);
      world.guard.allow(
        /blocked by CORS policy|ERR_FAILED|WebSocket connection to .* failed|status of 40[134]/,
      );
      const page = await mina.context().newPage();
      await page.goto(elsewhere);
      assert.deepEqual(await tries(page, world.origin, token), { http: "refused", socket: 4403 });
    } finally {
      third.closeAllConnections();
      third.close();
    }

    // What is gone is missing, and no page.
    assert.equal((await fetch(`${host.origin}/assets/gone.js`)).status, 404);
  },
  { env: { PUBLIC_URL: host.origin } },
);

/** A proxy before a server that says, as one that ends TLS does, that people came over TLS. */
async function startProxy(port) {
  const proxy = createServer((asked, answer) => {
    const headers = { ...asked.headers, "x-forwarded-proto": "https" };
    const inner = request(
      { host: "127.0.0.1", port, path: asked.url, method: asked.method, headers },
      (response) => {
        answer.writeHead(response.statusCode, response.headers);
        response.pipe(answer);
      },
    );
    asked.pipe(inner);
  });
  proxy.on("upgrade", (asked, socket) => {
    const inner = connect(port, "127.0.0.1");
    const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${value}\r\n`);
    inner.write(`GET ${asked.url} HTTP/1.1\r\n${headers.join("")}\r\n`);
    socket.pipe(inner).pipe(socket);
    for (const side of [socket, inner]) side.on("error", () => [socket, inner].forEach((it) => it.destroy()));
  });
  proxy.listen(0, "localhost");
  await once(proxy, "listening");
  return proxy;
}

test("a session outlives a reload also where client and server are of different sites, over TLS", async () => {
  const server = await startServer({ PUBLIC_URL: host.origin, TRUSTED_PROXIES: "127.0.0.1" });
  const proxy = await startProxy(server.port);
  const browser = await launch([
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
  ]);
  try {
    // Browsers take loopback addresses for as safe as TLS, and these two for different sites.
    await host.publish(`http://localhost:${proxy.address().port}`);
    const page = await browser.newPage();
    await page.goto(`${host.origin}/signup`);
    await signUp(page, "mina");
    await seen(sidebar(page));
    const [cookie] = (await page.context().cookies()).filter(({ name }) => name === "blabber_refresh");
    assert.deepEqual([cookie.sameSite, cookie.secure, cookie.httpOnly], ["None", true, true]);
    assert.equal(cookie.partitionKey, "http://127.0.0.1");
    await page.reload();
    await seen(sidebar(page));
  } finally {
    await browser.close();
    proxy.closeAllConnections();
    proxy.close();
    await server.remove();
  }
});
