import { Engine } from "./engine";
import type { Sync } from "./sync";
import { browserWorld } from "./world";

/**
 * The engine of this page, not started yet. It talks to the page's own origin, or to the one that the page names, for a
 * client that is hosted apart from its server.
 */
export function createSync(): Sync {
  const named = document.querySelector<HTMLMetaElement>('meta[name="blabber-hive-api"]')?.content ?? "";
  return new Engine(browserWorld(named.replace(/\/$/, "")));
}
