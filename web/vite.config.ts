import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";
import { staticFiles } from "./vite/static-files.ts";

/** Where `npm run dev` finds the server. */
const server = process.env.BLABBER_HIVE_URL ?? "http://localhost:8080";

/** Where chunks go that a first conversation does not need; what lies there is fetched, and then kept, on first use. */
function folderOf(moduleIds: readonly string[]): string {
  if (moduleIds.some((id) => /node_modules[\\/](@shikijs|shiki)[\\/]/.test(id))) return "assets/highlight/";
  if (moduleIds.some((id) => /node_modules[\\/]emojibase-data[\\/]/.test(id))) return "assets/emoji/";
  if (moduleIds.some((id) => /node_modules[\\/]@supabase[\\/]/.test(id))) return "assets/supabase/";
  return "assets/";
}

const hive = fileURLToPath(new URL("./src/app/hive.tsx", import.meta.url));

/** Whether a module is loaded with another one, by imports that are not lazy. */
function isPartOf(
  whole: string,
  id: string,
  graph: { getModuleInfo(id: string): { importers: readonly string[] } | null },
  seen = new Set<string>(),
): boolean {
  if (id === whole) return true;
  if (seen.has(id)) return false;
  seen.add(id);
  return (graph.getModuleInfo(id)?.importers ?? []).some((importer) =>
    isPartOf(whole, importer, graph, seen),
  );
}

export default defineConfig({
  resolve: {
    alias: { entities: fileURLToPath(new URL("./vite/entities.ts", import.meta.url)) },
  },
  plugins: [
    react(),
    staticFiles(),
    VitePWA({
      // The page registers the worker itself and offers the new version; it never swaps code under a person's hands.
      injectRegister: null,
      registerType: "prompt",
      manifest: false,
      workbox: {
        globPatterns: [
          "index.html",
          "assets/*.{js,css}",
          "assets/inter-latin-*.woff2",
          "*.{js,svg,webmanifest}",
        ],
        globIgnores: ["docs/**"],
        navigateFallback: "/index.html",
        navigateFallbackDenylist: [/^\/(api|docs|ws)(\/|$)/, /^\/openapi\.json$/],
        // Fonts of other scripts, languages to highlight and emoji are many: kept once used, never fetched ahead.
        runtimeCaching: [
          {
            urlPattern: /\/assets\/(.*\.woff2|(highlight|emoji|supabase)\/.*\.js)$/,
            handler: "CacheFirst",
            options: { cacheName: "on-demand", expiration: { maxEntries: 300 } },
          },
        ],
      },
    }),
  ],
  build: {
    outDir: "dist/client",
    emptyOutDir: true,
    target: "es2023",
    // Small files stay files: the content policy allows no font that is written into a stylesheet.
    assetsInlineLimit: 0,
    rolldownOptions: {
      output: {
        chunkFileNames: ({ moduleIds }) => `${folderOf(moduleIds)}[name]-[hash].js`,
        // One file for each step of a first visit, since each costs a trip to the server and, on a slow phone, some
        // milliseconds: what signs somebody in, what a conversation needs beside it, and React, which stays in browsers'
        // caches when the app changes.
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/, priority: 2 },
            { name: "app", tags: ["$initial"], priority: 1 },
            { debugName: "hive", name: (id, graph) => (isPartOf(hive, id, graph) ? "hive" : null) },
          ],
        },
      },
    },
  },
  worker: {
    format: "es",
    rolldownOptions: {
      output: {
        entryFileNames: "assets/highlight/[name]-[hash].js",
        chunkFileNames: "assets/highlight/[name]-[hash].js",
      },
    },
  },
  server: {
    proxy: {
      "/api": { target: server },
      "/openapi.json": { target: server },
      "/ws": { target: server, ws: true },
    },
  },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing/setup.ts"],
    css: { modules: { classNameStrategy: "non-scoped" } },
    restoreMocks: true,
    // Nothing here waits for the clock; this is for property tests on a busy machine.
    testTimeout: 60_000,
    maxWorkers: 2,
  },
});
