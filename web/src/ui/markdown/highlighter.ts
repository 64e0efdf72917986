import type { HighlightReply, HighlightRequest } from "./highlight-worker";

/** Code in pieces, each of one colour. */
export type ColouredLine = readonly { readonly text: string; readonly colour: string | undefined }[];

/** What it takes longer for stays plain: a grammar's regular expressions can be slow without end. */
const patienceMs = 5000;

const keptMax = 200;

type Coloured = Promise<readonly ColouredLine[] | null>;

/** Colours that were asked for, by language and code: a row that scrolls back into view has them at once. */
const known = new Map<string, Coloured>();

let worker: Worker | null = null;
let lastId = 0;

/** Colours code by its language, away from the page's own thread; null where the language is not known. */
export function highlight(code: string, language: string): Coloured {
  const key = `${language}\n${code}`;
  const before = known.get(key);
  if (before) return before;
  const coloured = ask({ id: ++lastId, code, language });
  known.set(key, coloured);
  if (known.size > keptMax) known.delete(known.keys().next().value!);
  return coloured;
}

function ask(request: HighlightRequest): Coloured {
  worker ??= new Worker(new URL("./highlight-worker.ts", import.meta.url), { type: "module" });
  const asked = worker;
  return new Promise((resolve) => {
    const settle = (lines: HighlightReply["lines"]) => {
      clearTimeout(timer);
      asked.removeEventListener("message", onReply);
      asked.removeEventListener("error", onError);
      resolve(lines);
    };
    const onReply = ({ data }: MessageEvent<HighlightReply>) => {
      if (data.id === request.id) settle(data.lines);
    };
    const onError = () => {
      settle(null);
    };
    const timer = setTimeout(() => {
      // It does not end: the next block gets another.
      asked.terminate();
      if (worker === asked) worker = null;
      settle(null);
    }, patienceMs);
    asked.addEventListener("message", onReply);
    asked.addEventListener("error", onError);
    asked.postMessage(request);
  });
}
