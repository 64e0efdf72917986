import {
  createCssVariablesTheme,
  createHighlighterCore,
  type HighlighterCore,
  type LanguageInput,
} from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import type { ColouredLine } from "./highlighter";

/** What the page asks: some code, in a language by any of its names. */
export interface HighlightRequest {
  id: number;
  code: string;
  language: string;
}

/** What it gets back; null where the language is not known. */
export interface HighlightReply {
  id: number;
  lines: readonly ColouredLine[] | null;
}

// One chunk a language, fetched when its first block is seen.
const grammars: Record<string, () => Promise<LanguageInput>> = {
  bash: () => import("shiki/langs/bash.mjs").then((module) => module.default),
  c: () => import("shiki/langs/c.mjs").then((module) => module.default),
  cpp: () => import("shiki/langs/cpp.mjs").then((module) => module.default),
  csharp: () => import("shiki/langs/csharp.mjs").then((module) => module.default),
  css: () => import("shiki/langs/css.mjs").then((module) => module.default),
  diff: () => import("shiki/langs/diff.mjs").then((module) => module.default),
  docker: () => import("shiki/langs/docker.mjs").then((module) => module.default),
  go: () => import("shiki/langs/go.mjs").then((module) => module.default),
  html: () => import("shiki/langs/html.mjs").then((module) => module.default),
  java: () => import("shiki/langs/java.mjs").then((module) => module.default),
  javascript: () => import("shiki/langs/javascript.mjs").then((module) => module.default),
  json: () => import("shiki/langs/json.mjs").then((module) => module.default),
  kotlin: () => import("shiki/langs/kotlin.mjs").then((module) => module.default),
  markdown: () => import("shiki/langs/markdown.mjs").then((module) => module.default),
  php: () => import("shiki/langs/php.mjs").then((module) => module.default),
  python: () => import("shiki/langs/python.mjs").then((module) => module.default),
  ruby: () => import("shiki/langs/ruby.mjs").then((module) => module.default),
  rust: () => import("shiki/langs/rust.mjs").then((module) => module.default),
  sql: () => import("shiki/langs/sql.mjs").then((module) => module.default),
  swift: () => import("shiki/langs/swift.mjs").then((module) => module.default),
  toml: () => import("shiki/langs/toml.mjs").then((module) => module.default),
  tsx: () => import("shiki/langs/tsx.mjs").then((module) => module.default),
  typescript: () => import("shiki/langs/typescript.mjs").then((module) => module.default),
  yaml: () => import("shiki/langs/yaml.mjs").then((module) => module.default),
};

const aliases: Record<string, string> = {
  "c++": "cpp",
  "c#": "csharp",
  cs: "csharp",
  dockerfile: "docker",
  golang: "go",
  js: "javascript",
  jsx: "tsx",
  kt: "kotlin",
  md: "markdown",
  py: "python",
  rb: "ruby",
  rs: "rust",
  sh: "bash",
  shell: "bash",
  ts: "typescript",
  yml: "yaml",
  zsh: "bash",
};

/**
 * A line longer than this stays one colour, and one that takes longer is cut short: a grammar's regular expressions can be
 * slow. The first line also pays for making them.
 */
const lineCharsMax = 400;
const lineMsMax = 500;

let highlighter: Promise<HighlighterCore> | null = null;

function loadHighlighter(): Promise<HighlighterCore> {
  highlighter ??= createHighlighterCore({
    themes: [createCssVariablesTheme({ name: "tokens", variablePrefix: "--code-" })],
    langs: [],
    // The policy of the page allows no WebAssembly; grammars that JavaScript cannot express lose some colour.
    engine: createJavaScriptRegexEngine({ forgiving: true }),
  });
  return highlighter;
}

/** Colours code by its language; null where the language is not known. */
async function highlight(code: string, language: string): Promise<readonly ColouredLine[] | null> {
  const word = language.toLowerCase();
  const name = aliases[word] ?? word;
  const grammar = Object.hasOwn(grammars, name) ? grammars[name] : undefined;
  if (!grammar) return null;
  const shiki = await loadHighlighter();
  if (!shiki.getLoadedLanguages().includes(name)) await shiki.loadLanguage(await grammar());
  const lines = shiki.codeToTokensBase(code, {
    lang: name,
    theme: "tokens",
    tokenizeMaxLineLength: lineCharsMax,
    tokenizeTimeLimit: lineMsMax,
  });
  return lines.map((line) => joined(line.map((token) => ({ text: token.content, colour: token.color }))));
}

/** Neighbours of one colour as one piece: what is drawn costs by the piece. */
function joined(pieces: ColouredLine): ColouredLine {
  const line: { text: string; colour: string | undefined }[] = [];
  for (const piece of pieces) {
    const last = line.at(-1);
    if (last && (last.colour === piece.colour || piece.text.trim() === "")) last.text += piece.text;
    else line.push({ ...piece });
  }
  return line;
}

addEventListener("message", ({ data }: MessageEvent<HighlightRequest>) => {
  void highlight(data.code, data.language)
    // Without colours (offline, say) the code is still there to read.
    .catch(() => null)
    .then((lines) => {
      postMessage({ id: data.id, lines } satisfies HighlightReply);
    });
});
