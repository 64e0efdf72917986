import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { until } from "./wait.mjs";

const binary =
  process.env.BLABBER_HIVE ?? fileURLToPath(new URL("../../../bin/blabber-hive", import.meta.url));

/** How much of its log is shown when a server does something unexpected. */
const logLinesKept = 200;

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Who starts and kills the servers in place of this one's own: their answer to an order, a word with arguments. */
const control = process.env.BLABBER_HIVE_CONTROL;

async function order(word, ...args) {
  const answer = await fetch(`${control}/${word}`, { method: "POST", body: JSON.stringify(args) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${word}: ${answer.status} ${text}`);
  return text;
}

/** A cluster, or whatever else somebody keeps for us: empty at the start, and killed as a whole. */
class Elsewhere {
  static async start(env) {
    if (env !== undefined) throw new Error("a server with settings of its own is ours to start");
    const server = new Elsewhere();
    server.origin = await order("start");
    return server;
  }

  async run() {
    await order("run");
  }

  async kill() {
    await order("kill");
    this.log = await order("log");
  }

  async command(...args) {
    return { stdout: await order("command", ...args) };
  }

  async remove() {}

  /** What they logged, as far as it was asked for. */
  log = "";
}

/** A server for one scenario, with these settings beside the usual ones. */
export function startServer(env) {
  return control === undefined ? Server.start(env) : Elsewhere.start(env);
}

/** The built server on loopback, with a data folder of its own that outlives its crashes. */
export class Server {
  #process = null;
  #log = [];

  static async start(env = {}) {
    const server = new Server();
    server.dataDir = await mkdtemp(join(tmpdir(), "blabber-hive-"));
    server.port = await freePort();
    server.adminPort = await freePort();
    server.origin = `http://127.0.0.1:${server.port}`;
    server.env = {
      PATH: process.env.PATH,
      ADDR: `127.0.0.1:${server.port}`,
      ADMIN_ADDR: `127.0.0.1:${server.adminPort}`,
      DATA_DIR: server.dataDir,
      RATE_LIMITS: "off",
      ...env,
    };
    await server.run();
    return server;
  }

  /** Starts the process, again with the same data and address after a crash, and waits until it is ready. */
  async run() {
    const child = spawn(binary, ["serve"], { env: this.env, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    let failure = null;
    child.on("error", (error) => (failure = error));
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text) => {
        // That it was asked too early whether it is ready is no news.
        this.#log.push(
          ...text
            .trimEnd()
            .split("\n")
            .filter((line) => !line.includes("endpoint=/readyz")),
        );
        this.#log.splice(0, this.#log.length - logLinesKept);
      });
    }
    await until("the server is ready", async () => {
      if (failure) throw new Error(`${binary}: ${failure.message}: 'make build' makes it`);
      if (child.exitCode !== null) throw new Error(`the server ended at once:\n${this.log}`);
      const answer = await fetch(`http://127.0.0.1:${this.adminPort}/readyz`).catch(() => null);
      return answer?.ok;
    });
  }

  /** Ends it without a warning, as a power cut would. */
  async kill() {
    await this.#end("SIGKILL");
  }

  /** Runs a command of the binary on this server's data. */
  async command(...args) {
    return promisify(execFile)(binary, args, { env: this.env, maxBuffer: 1 << 24 });
  }

  async remove() {
    await this.#end("SIGKILL");
    await rm(this.dataDir, { recursive: true, force: true });
  }

  /** The last lines that it logged. */
  get log() {
    return this.#log.join("\n");
  }

  async #end(signal) {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill(signal);
    await ended;
  }
}
