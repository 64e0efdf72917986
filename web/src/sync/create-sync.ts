import { Engine } from "./engine";
import type { Sync } from "./sync";
import { browserWorld } from "./world";

/**
 * The engine of this page, not started yet. It talks to the page's own origin, or to the one that the build was given as
 * `VITE_API_ORIGIN`, for a client that is hosted apart from its server.
 */
export function createSync(): Sync {
  const origin: unknown = import.meta.env.VITE_API_ORIGIN;
  return new Engine(browserWorld(typeof origin === "string" ? origin.replace(/\/$/, "") : ""));
}
