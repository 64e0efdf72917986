import js from "@eslint/js";
import { createTypeScriptImportResolver } from "eslint-import-resolver-typescript";
import checkFile from "eslint-plugin-check-file";
import { importX } from "eslint-plugin-import-x";
import reactHooks from "eslint-plugin-react-hooks";
import globals from "globals";
import { readdirSync } from "node:fs";
import tseslint from "typescript-eslint";

const features = readdirSync(new URL("src/features", import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** Arrows point one way: app → features → sync → protocol; features also → ui, i18n. */
const zones = [
  { target: "./src/protocol", from: "./src", except: ["./protocol"], message: "protocol knows only itself" },
  {
    target: "./src/sync",
    from: "./src",
    except: ["./sync", "./protocol", "./testing"],
    message: "sync knows only the protocol",
  },
  { target: "./src/i18n", from: "./src", except: ["./i18n"], message: "i18n knows only itself" },
  {
    target: "./src/ui",
    from: "./src",
    except: ["./ui", "./i18n", "./testing"],
    message: "ui knows no server state",
  },
  { target: "./src/features", from: "./src/app", message: "features do not know the app around them" },
  ...features.map((name) => ({
    target: `./src/features/${name}`,
    from: "./src/features",
    except: [`./${name}`],
    message: "a feature can be deleted by deleting its folder",
  })),
  ...["app", "features", "sync", "protocol", "ui", "i18n"].map((name) => ({
    target: `./src/${name}/**/!(*.test|testing-*).{ts,tsx}`,
    from: "./src/testing",
    message: "only tests know the fake server",
  })),
];

export default tseslint.config(
  { ignores: ["dist/", "dev-dist/", "coverage/", "public/", "vite/api-docs/"] },
  js.configs.recommended,
  {
    files: ["**/*.{ts,tsx}"],
    extends: [...tseslint.configs.strictTypeChecked, importX.flatConfigs.typescript],
    languageOptions: { globals: globals.browser, parserOptions: { projectService: true } },
    settings: { "import-x/resolver-next": [createTypeScriptImportResolver()] },
    plugins: { "react-hooks": reactHooks, "check-file": checkFile, "import-x": importX },
    rules: {
      ...reactHooks.configs.recommended.rules,
      "import-x/no-cycle": "error",
      "import-x/no-self-import": "error",
      "import-x/no-duplicates": "error",
      "import-x/no-restricted-paths": ["error", { zones }],
      "check-file/filename-naming-convention": [
        "error",
        { "src/**/*.{ts,tsx}": "KEBAB_CASE" },
        { ignoreMiddleExtensions: true },
      ],
      "check-file/folder-naming-convention": ["error", { "src/**/": "KEBAB_CASE" }],
      "check-file/filename-blocklist": ["error", { "src/**/index.{ts,tsx}": "*.ts" }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      "@typescript-eslint/consistent-type-imports": "error",
    },
  },
  {
    files: ["src/sync/**/*.ts"],
    rules: {
      "no-restricted-imports": [
        "error",
        { paths: [{ name: "react", message: "sync imports React in hooks.tsx only" }] },
      ],
    },
  },
  {
    files: ["**/*.js"],
    extends: [tseslint.configs.disableTypeChecked],
    languageOptions: { globals: globals.node },
  },
  {
    // Part of each runs in Node, part in the page.
    files: ["e2e/**/*.mjs"],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
);
