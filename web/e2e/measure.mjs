/**
 * Measures the built client in Chromium and prints each figure beside what is expected of it. Nothing here passes or
 * fails: figures of a busy machine are for people to judge.
 *
 * Key press to paint: keys are pressed by the DevTools protocol, so that they take the browser's own way of input. The
 * clock starts at the event's time stamp, which the browser process sets, and stops in a message that is posted from
 * the next animation frame: it is handled right after that frame's style, layout and paint. The same is done with a
 * bare text field on an empty page, beside which a figure can be judged. It is measured twice: with frames at 60 Hz,
 * where the wait for the display is part of it, and with frames as fast as they can be made, where only work is.
 *
 * Switching rooms: from the time stamp of the click on a room in the list to the first message posted after a frame
 * in which the room's field and its last message are there and in view.
 */
import { gzipSync } from "node:zlib";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import lighthouse, { desktopConfig } from "lighthouse";
import { chromium } from "playwright-core";
import { Api, newId, password } from "./support/api.mjs";
import { chromiumArgs, chromiumPath, launch } from "./support/browser.mjs";
import { Server } from "./support/server.mjs";
import { composer, roomLink, seen } from "./support/steps.mjs";
import { until } from "./support/wait.mjs";

const messagesHeld = Number(process.env.MESSAGES ?? 100_000);
const keyPresses = Number(process.env.KEYS ?? 600);
const roomSwitches = Number(process.env.SWITCHES ?? 60);

function report(what, figure, expected = "") {
  console.log(`${what.padEnd(64)} ${figure.padStart(16)}   ${expected}`);
}

function percentile(samples, share) {
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)];
}

const ms = (value) => `${value.toFixed(1)} ms`;
const kb = (value) => `${(value / 1000).toFixed(1)} KB`;
const spread = (samples) => `${ms(percentile(samples, 0.5))} / ${ms(percentile(samples, 0.99))}`;

/** Everything that the page fetched until a conversation could be used, by kind. */
async function measureFirstLoad(server, room) {
  const browser = await launch();
  try {
    const context = await browser.newContext({ baseURL: server.origin, serviceWorkers: "block" });
    const page = await context.newPage();
    await page.request.post("/api/v1/auth/login", { data: { username: "mina", password } });
    const bodies = [];
    page.on("response", (response) => {
      const kind = response.request().resourceType();
      bodies.push(
        response.body().then(
          (body) => ({ kind, bytes: gzipSync(body).length }),
          () => ({ kind, bytes: 0 }),
        ),
      );
    });
    await page.goto(`/rooms/${room.id}`);
    await seen(composer(page));
    await seen(page.locator("[data-message-id]"));
    const loaded = await Promise.all(bodies);
    const sum = (kind) =>
      loaded.filter((one) => one.kind === kind).reduce((total, { bytes }) => total + bytes, 0);
    report("first JavaScript until a conversation is usable, gzipped", kb(sum("script")), "at most 200 KB");
    report("first styles, gzipped", kb(sum("stylesheet")));
    const [navigation] = await page.evaluate(() =>
      performance
        .getEntriesByType("paint")
        .filter(({ name }) => name === "first-contentful-paint")
        .map((entry) => entry.startTime),
    );
    report("first contentful paint on this machine", ms(navigation), "visible within 1.5 s");
  } finally {
    await browser.close();
  }
}

/** Lighthouse looks at pages as a stranger and, in the same browser, as a person who is signed in. */
async function measureLighthouse(server, room) {
  const profile = await mkdtemp(join(tmpdir(), "blabber-hive-lighthouse-"));
  const port = server.port + 1;
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    args: [...chromiumArgs, `--remote-debugging-port=${port}`],
    baseURL: server.origin,
  });
  const devtools = `http://127.0.0.1:${port}/json/version`;
  await until("the browser can be asked", () => fetch(devtools).then(Boolean, () => false));
  const judge = async (what, path, config, flags = {}) => {
    const { lhr } = await lighthouse(
      server.origin + path,
      { port, output: "json", logLevel: "error", onlyCategories: ["performance", "accessibility"], ...flags },
      config,
    );
    const score = (category) => Math.round(lhr.categories[category].score * 100);
    report(
      `Lighthouse, ${what}: performance, accessibility`,
      `${score("performance")}, ${score("accessibility")}`,
      "at least 95, 95",
    );
    for (const id of [
      "first-contentful-paint",
      "largest-contentful-paint",
      "total-blocking-time",
      "cumulative-layout-shift",
    ]) {
      report(`  ${id}`, lhr.audits[id].displayValue ?? "");
    }
    if (process.env.VERBOSE) console.log(JSON.stringify(lhr.audits, null, 1));
  };
  try {
    await judge("sign-in on a slow phone", "/signin", undefined);
    await judge("sign-in on a desktop", "/signin", desktopConfig);
    const page = await context.newPage();
    await page.request.post("/api/v1/auth/login", { data: { username: "mina", password } });
    const keepSession = { disableStorageReset: true };
    await judge("conversation on a slow phone", `/rooms/${room.id}`, undefined, keepSession);
    await judge("conversation on a desktop", `/rooms/${room.id}`, desktopConfig, keepSession);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Sends many messages over a socket of a page, which is quicker than one request each. */
async function sendMany(browser, api, roomId, count) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${api.origin}/openapi.json`);
  const ids = Array.from({ length: count }, () => newId());
  await page.evaluate(
    ({ token, roomId, ids, inFlightMax }) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(`${location.origin.replace("http", "ws")}/ws`);
        let sent = 0;
        let acked = 0;
        const sendNext = () => {
          if (sent === ids.length) return;
          const body = `${sent} ${"A line as people write them, now shorter, now longer. ".repeat(1 + (sent % 3))}`;
          socket.send(JSON.stringify({ type: "send", room_id: roomId, id: ids[sent++], body }));
        };
        socket.onopen = () => socket.send(JSON.stringify({ type: "auth", token }));
        socket.onclose = ({ code }) => reject(new Error(`closed with ${code} after ${acked} acks`));
        socket.onmessage = ({ data }) => {
          if (data.startsWith('{"type":"ready"')) for (let i = 0; i < inFlightMax; i++) sendNext();
          if (data.startsWith('{"type":"error"')) reject(new Error(data));
          if (!data.startsWith('{"type":"ack"')) return;
          sendNext();
          if (++acked === ids.length) resolve();
        };
      }),
    { token: api.token, roomId, ids, inFlightMax: 256 },
  );
  await context.close();
  return ids.at(-1);
}

/**
 * Fills a room while it is open on the page, which therefore holds all of it, and has the page say so: the room's
 * settings tell up to where and from where on everything is held.
 */
async function holdAll(browser, page, sender, room) {
  const lastId = await sendMany(browser, sender, room.id, messagesHeld);
  await toNewest(page, lastId);
  await page.getByRole("button", { name: "Room menu" }).click();
  await page.getByRole("menuitem", { name: "Room settings" }).click();
  const words = page.getByText(/^Everything (up to|from) #/);
  await seen(words);
  const said = await words.textContent();
  await page.getByRole("button", { name: "Close" }).first().click();
  return { lastId, said };
}

/** Goes to the newest message of the room that is open: what came faster than it was read lies between. */
async function toNewest(page, lastId) {
  const jump = page.getByRole("button", { name: /new messages?|Jump to the latest/ });
  await until("the newest message is in view", async () => {
    if (await page.locator(`[data-message-id="${lastId}"]`).isVisible()) return true;
    if (await jump.isVisible()) await jump.click();
    return false;
  });
}

/** Notes for every key press how long it took until what it changed was painted. */
function watchKeys() {
  window.keyPaints = [];
  addEventListener(
    "keydown",
    ({ timeStamp }) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => window.keyPaints.push(performance.now() - timeStamp);
        port2.postMessage(null);
      });
    },
    { capture: true },
  );
}

/** Types as quickly as the page paints, and returns what each key took. */
async function typeAway(page, field) {
  await field.click();
  await page.evaluate(watchKeys);
  const text = "The quick brown fox jumps over the lazy dog. ";
  for (let i = 0; i < keyPresses; i++) {
    // Starting again now and then keeps the text as long as people's are.
    if (i % 200 === 199) await field.fill("");
    await page.keyboard.press(text[i % text.length]);
    await page.waitForFunction((count) => window.keyPaints.length > count, i);
  }
  await field.fill("");
  return page.evaluate(() => window.keyPaints);
}

async function bareField(browser) {
  const page = await browser.newPage();
  await page.setContent("<textarea aria-label='bare' rows='3' cols='80'></textarea>");
  const samples = await typeAway(page, page.getByLabel("bare"));
  await page.close();
  return samples;
}

/** Clicks to and fro between two rooms that are loaded. */
async function switchRooms(page, rooms) {
  await page.evaluate(() => {
    window.switches = [];
    addEventListener(
      "click",
      ({ timeStamp, target }) => {
        const link = target.closest("a[href^='/rooms/']");
        if (!link) return;
        const lastId = window.lastMessageOf[link.getAttribute("href").split("/").at(-1)];
        const look = () => {
          const row = document.querySelector(`[data-message-id="${lastId}"]`);
          const log = row?.closest("[role=log]");
          const shown =
            log &&
            row.getBoundingClientRect().top < log.getBoundingClientRect().bottom &&
            row.checkVisibility();
          if (!shown) return requestAnimationFrame(look);
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => window.switches.push(performance.now() - timeStamp);
          port2.postMessage(null);
        };
        requestAnimationFrame(look);
      },
      { capture: true },
    );
  });
  await page.evaluate(
    (last) => (window.lastMessageOf = last),
    Object.fromEntries(rooms.map(({ id, lastId }) => [id, lastId])),
  );
  for (let i = 0; i < roomSwitches; i++) {
    await roomLink(page, rooms[i % rooms.length].name).click();
    await page.waitForFunction((count) => window.switches.length > count, i);
  }
  return page.evaluate(() => window.switches);
}

async function measureLargeRoom(server, api) {
  const small = await api.makeRoom("small");
  const jun = await Api.signUp(server.origin, "jun", "Jun Seo");
  await jun.join(small.id);
  await jun.sendAll(
    small.id,
    Array.from({ length: 300 }, (_, index) => `A short line, number ${index}`),
  );
  const lastSmall = (await api.history(small.id)).at(-1).id;
  // A room opens where reading stopped: here at its end.
  await api.call("PUT", `/rooms/${small.id}/read`, { seq: Number.MAX_SAFE_INTEGER });

  for (const [name, args] of [
    ["frames at 60 Hz", []],
    ["frames at once", ["--disable-frame-rate-limit", "--disable-gpu-vsync"]],
  ]) {
    const large = await api.makeRoom("large");
    await jun.join(large.id);
    const browser = await launch(args);
    try {
      const context = await browser.newContext({
        baseURL: server.origin,
        viewport: { width: 1440, height: 900 },
      });
      const page = await context.newPage();
      await page.request.post("/api/v1/auth/login", { data: { username: "mina", password } });
      await page.goto(`/rooms/${small.id}`);
      await seen(page.locator(`[data-message-id="${lastSmall}"]`));
      await roomLink(page, "large").click();
      await seen(composer(page));
      const began = Date.now();
      const { lastId: lastLarge, said } = await holdAll(browser, page, jun, large);
      report(
        `messages in the room (${name})`,
        String(messagesHeld),
        `sent and received in ${((Date.now() - began) / 1000).toFixed(0)} s. ${said}`,
      );

      const bare = await bareField(browser);
      const keys = await typeAway(page, composer(page));
      report(`key press to paint, p50 / p99, ${name}`, spread(keys), "p99 at most 16 ms");
      report("  a bare text field on an empty page", spread(bare));

      const rooms = [
        { name: "small", id: small.id, lastId: lastSmall },
        { name: "large", id: large.id, lastId: lastLarge },
      ];
      const switches = await switchRooms(page, rooms);
      const loaded = switches.slice(rooms.length);
      report(
        `switch to a loaded room, p50 / p95, ${name}`,
        `${ms(percentile(loaded, 0.5))} / ${ms(percentile(loaded, 0.95))}`,
        "p95 at most 100 ms",
      );
      const heap = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? 0);
      report("  memory of the page's scripts", `${(heap / 1e6).toFixed(0)} MB`);
    } finally {
      await browser.close();
      await api.call("DELETE", `/rooms/${large.id}`);
    }
  }
}

const server = await Server.start();
try {
  const api = await Api.signUp(server.origin, "mina", "Mina Park");
  const room = await api.makeRoom("design");
  await api.sendAll(
    room.id,
    Array.from({ length: 80 }, (_, index) => `A line of a **conversation**, number ${index}`),
  );
  await measureFirstLoad(server, room);
  await measureLighthouse(server, room);
  await measureLargeRoom(server, api);
} finally {
  await server.remove();
}
