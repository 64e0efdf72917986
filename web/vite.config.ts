import react from "@vitejs/plugin-react";
import { VitePWA } from "vite-plugin-pwa";
import { defineConfig } from "vitest/config";
import { staticFiles } from "./vite/static-files.ts";

/** Where `npm run dev` finds the server. */
const server = process.env.BLABBER_HIVE_URL ?? "http://localhost:8080";

export default defineConfig({
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
        // Fonts of other scripts are many: kept once used, never fetched ahead.
        runtimeCaching: [
          {
            urlPattern: /\/assets\/.*\.woff2$/,
            handler: "CacheFirst",
            options: { cacheName: "fonts", expiration: { maxEntries: 200 } },
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
        // Two long-lived chunks beside the app's own: they stay in browsers' caches when the app changes.
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules[\\/](react|react-dom|scheduler)[\\/]/, priority: 2 },
            { name: "i18n", test: /node_modules[\\/](i18next|react-i18next)[\\/]/, priority: 1 },
          ],
        },
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
