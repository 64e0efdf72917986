import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, extname, join } from "node:path";
import type { Plugin } from "vite";

const require = createRequire(import.meta.url);
const here = import.meta.dirname;
const swagger = dirname(require.resolve("swagger-ui-dist/package.json"));

/**
 * Files that are served as they are, under fixed names: the page of the API's documentation. All of it comes from this
 * origin, because the content policy allows no other.
 */
const files: Record<string, string> = {
  "docs/index.html": join(here, "api-docs/index.html"),
  "docs/start.js": join(here, "api-docs/start.js"),
  "docs/swagger-ui.css": join(swagger, "swagger-ui.css"),
  "docs/swagger-ui-bundle.js": join(swagger, "swagger-ui-bundle.js"),
  "docs/favicon-32x32.png": join(swagger, "favicon-32x32.png"),
};

const contentTypes: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".png": "image/png",
};

/** Serves {@link files} in development and copies them into the build. */
export function staticFiles(): Plugin {
  return {
    name: "static-files",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const path = (request.url ?? "").split("?")[0]!.slice(1);
        const source = files[path === "docs" || path === "docs/" ? "docs/index.html" : path];
        if (source === undefined) {
          next();
          return;
        }
        readFile(source).then(
          (bytes) =>
            response.setHeader("Content-Type", contentTypes[extname(source)] ?? "text/plain").end(bytes),
          next,
        );
      });
    },
    async generateBundle() {
      for (const [fileName, source] of Object.entries(files)) {
        this.emitFile({ type: "asset", fileName, source: await readFile(source) });
      }
    },
  };
}
