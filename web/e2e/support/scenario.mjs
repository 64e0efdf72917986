import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Api, password } from "./api.mjs";
import { launch } from "./browser.mjs";
import { Guard } from "./guard.mjs";
import { startServer } from "./server.mjs";
import { seen } from "./steps.mjs";
import { patienceMs } from "./wait.mjs";

const minuteMs = 60_000;

let browser = null;
let picturesDir = null;

before(async () => {
  browser = await launch();
});

after(async () => {
  await browser?.close();
});

export const desktop = { width: 1440, height: 900 };
export const tablet = { width: 1024, height: 768 };
export const phone = { width: 390, height: 844 };

/** One server and the people who use it, for the length of a test. */
class World {
  #contexts = [];

  constructor(server) {
    this.server = server;
    this.origin = server.origin;
    this.guard = new Guard(server.origin);
  }

  /** An empty browser of its own, like another machine, with one page that has loaded nothing. */
  async stranger({ viewport = desktop, locale = "en-GB", colorScheme = "light", ...options } = {}) {
    const context = await browser.newContext({
      baseURL: this.origin,
      viewport,
      locale,
      colorScheme,
      timezoneId: "Europe/Berlin",
      ...options,
    });
    context.setDefaultTimeout(patienceMs);
    this.#contexts.push(context);
    await this.guard.watch(context);
    return context.newPage();
  }

  /** A signed-in person at a page; `api` is the same person without a browser. */
  async person(username, { displayName = username, path = "/", api, ...options } = {}) {
    const known = api ?? (await Api.signUp(this.origin, username, displayName));
    const page = await this.stranger(options);
    // The page finds the session's cookie, as after any reload.
    await page.request.post("/api/v1/auth/login", { data: { username, password } });
    await page.goto(path);
    await seen(page.getByRole("navigation", { name: "Rooms and people" }));
    return { page, api: known };
  }

  get pages() {
    return this.#contexts.flatMap((context) => context.pages());
  }

  async close() {
    for (const context of this.#contexts) await context.close();
  }
}

/** A test with a server of its own. What its pages showed is kept in a temporary folder if it fails. */
export function scenario(name, run, { env, timeout = 3 * minuteMs } = {}) {
  test(name, { timeout }, async (context) => {
    const server = await startServer(env);
    const world = new World(server);
    try {
      await run(world);
      world.guard.check();
    } catch (error) {
      context.diagnostic(`pictures: ${await picturesOf(world, name)}`);
      if (world.guard.problems.length > 0) context.diagnostic(`browser: ${world.guard.problems.join("\n")}`);
      context.diagnostic(`server:\n${server.log}`);
      throw error;
    } finally {
      await world.close();
      await server.remove();
    }
  });
}

async function picturesOf(world, name) {
  picturesDir ??= await mkdtemp(join(tmpdir(), "blabber-hive-failed-"));
  const folder = join(picturesDir, name.replaceAll(/\W+/g, "-"));
  await mkdir(folder);
  for (const [index, page] of world.pages.entries()) {
    await page.screenshot({ path: join(folder, `${index + 1}.png`) }).catch(() => undefined);
  }
  return folder;
}
