// Makes a folder for a static host from the built web client: `node scripts/web-static.mjs OUT API [ORIGIN …]`. API is the
// origin of the server, like https://api.example.com; further origins are what pages may call besides, like that of a Supabase
// project. The build is the one inside the binary; only what its page names as its server differs. docs/hosting.md says how to use it.
import { createHash } from "node:crypto";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const built = fileURLToPath(new URL("../web/dist/client", import.meta.url));

function originOf(text) {
  const url = URL.parse(text);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    !["", "/"].includes(url.pathname) ||
    url.search ||
    url.hash ||
    url.username
  ) {
    throw new Error(`${JSON.stringify(text)} is no origin like https://api.example.com`);
  }
  return url.origin;
}

function replaceOnce(text, from, to, where) {
  if (text.split(from).length !== 2)
    throw new Error(`${where} does not have ${from} exactly once: build the client anew`);
  return text.replace(from, () => to);
}

const md5 = (text) => createHash("md5").update(text).digest("hex");

/** The addresses that the client shows by itself, as internal/api/site has them. */
const routes = [
  "/rooms",
  "/rooms/*",
  "/browse",
  "/invite/*",
  "/settings",
  "/settings/*",
  "/signin",
  "/signup",
];

async function makeStatic(out, api, others) {
  await rm(out, { recursive: true, force: true });
  // The documentation of the API tries its server out, which is elsewhere. Static hosts compress by themselves.
  await cp(built, out, {
    recursive: true,
    filter: (source) => source !== join(built, "docs") && !/\.(br|gz)$/.test(source),
  });

  const page = await readFile(join(out, "index.html"), "utf8");
  const named = replaceOnce(
    page,
    '<meta name="blabber-hive-api" content="" />',
    `<meta name="blabber-hive-api" content="${api}" />`,
    "index.html",
  );
  await writeFile(join(out, "index.html"), named);
  // The service worker keeps the page by what was in it, or browsers that have been here would go on with the old server.
  const worker = await readFile(join(out, "sw.js"), "utf8");
  const revision = /"index\.html",revision:"([0-9a-f]{32})"/.exec(worker)?.[1] ?? "no revision of index.html";
  await writeFile(join(out, "sw.js"), replaceOnce(worker, revision, md5(named), "sw.js"));

  const socket = api.replace(/^http/, "ws");
  const policy =
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self'; " +
    `connect-src ${["'self'", api, socket, ...others].join(" ")}; frame-ancestors 'none'; base-uri 'none'; form-action 'self'`;
  await writeFile(
    join(out, "_headers"),
    `/*
  Content-Security-Policy: ${policy}
  X-Content-Type-Options: nosniff
  Referrer-Policy: same-origin
  X-Frame-Options: DENY
  Cross-Origin-Opener-Policy: same-origin
  Permissions-Policy: camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()
/assets/*
  Cache-Control: public, max-age=31536000, immutable
`,
  );
  // Not /*: a file that an older page asks for and is gone must be missing, and no page.
  await writeFile(join(out, "_redirects"), routes.map((route) => `${route} / 200\n`).join(""));
  await writeFile(
    join(out, "404.html"),
    "<!doctype html><title>Not found</title><p>There is nothing here.</p>\n",
  );
}

const [out, api, ...others] = process.argv.slice(2);
try {
  if (!out || !api)
    throw new Error(
      "give a folder and the origin of the server: make web-static API=https://api.example.com",
    );
  await makeStatic(out, originOf(api), others.map(originOf));
  console.log(`${out} is ready to be uploaded; it calls ${originOf(api)}.`);
} catch (error) {
  console.error(`web-static: ${error.message}`);
  process.exitCode = 1;
}
