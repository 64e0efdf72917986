import MarkdownIt, { type Token } from "markdown-it";

/** Bodies longer than this are shown as they were typed: the parser's time grows with what it is given. */
export const parsedCharsMax = 16_000;

/** More than anybody writes, and than a browser draws in a moment: a heavier body is shown as it was typed, too. */
const weightMax = 1000;

const imageWeight = 10;
const tagWeight = 4;

/** What drawing a token costs, a piece of plain text being 1; names and rooms are found in the text later. */
function weightOf(token: Token): number {
  if (token.type === "image") return imageWeight;
  if (token.type === "text") return 1 + tagWeight * (token.content.match(/[@#]/g)?.length ?? 0);
  return 1;
}

/** Quotes in quotes, lists in lists: deeper than this stays plain text. */
const nestingMax = 16;

/** Only these may be followed. Relative links lead nowhere that a message should lead to. */
const safeLink = /^(?:https?:\/\/|mailto:)[^\s]+$/i;

/** The address if it is safe to follow, else null. */
export function safeHref(href: string): string | null {
  // Browsers drop tabs, line breaks and control characters inside a scheme, so what holds them is not what it looks like.
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0020\u007f-\u009f]/.test(href)) return null;
  return safeLink.test(href) && URL.canParse(href) ? href : null;
}

const parser = new MarkdownIt({
  html: false,
  linkify: true,
  breaks: true,
  typographer: false,
  maxNesting: nestingMax,
});

// What surprises people who type into a chat: four spaces make code, a line of dashes makes a title of the line above,
// and definitions of links vanish.
parser.disable(["code", "lheading", "reference", "html_block", "html_inline"]);
parser.validateLink = (href) => safeHref(href) !== null;
parser.linkify.set({ fuzzyEmail: false, fuzzyIP: false });

/** The tokens of a message's Markdown, without any HTML; null where there is too much of it to be drawn. */
export function parseMarkdown(body: string): Token[] | null {
  if (body.length > parsedCharsMax) return null;
  const tokens = parser.parse(body, {});
  const sum = (of: readonly Token[]): number =>
    of.reduce((weight, token) => weight + weightOf(token) + sum(token.children ?? []), 0);
  return sum(tokens) > weightMax ? null : tokens;
}

/** A message's words without their marks, on one line, for announcements, quotes and lists. */
export function plainText(body: string, charsMax = 200): string {
  // Four times as much holds all that can be shown, also when most of it is marks.
  const tokens = parseMarkdown(body.slice(0, charsMax * 4)) ?? [];
  const words: string[] = [];
  for (const token of tokens) {
    if (token.type === "fence") words.push(token.content);
    for (const inline of token.children ?? []) {
      if (inline.type === "softbreak" || inline.type === "hardbreak") words.push(" ");
      else words.push(inline.content);
    }
    if (token.type === "inline") words.push(" ");
  }
  const text = words.join("").replace(/\s+/gu, " ").trim();
  return text.length > charsMax ? `${text.slice(0, charsMax - 1).trimEnd()}…` : text;
}

/** A piece of running text: words, somebody's name after @, or a room's after #. */
export type TextPiece = { kind: "words" | "mention" | "room"; text: string };

const tagPattern =
  /(?<![\p{L}\p{N}_@#/.])(?:@([a-z0-9][a-z0-9_.-]{0,31})|#([\p{L}\p{N}][\p{L}\p{N}_-]{0,79}))/giu;

/** Splits running text at `@username` and `#room`. */
export function splitTags(text: string): TextPiece[] {
  // Most messages name nobody, and a pattern of all letters of all scripts takes a slow phone long to make ready.
  if (!/[@#]/.test(text)) return text === "" ? [] : [{ kind: "words", text }];
  const pieces: TextPiece[] = [];
  let end = 0;
  for (const match of text.matchAll(tagPattern)) {
    // A full stop or dash at the end belongs to the sentence, not to the name.
    const name = (match[1] ?? match[2] ?? "").replace(/[.-]+$/, "");
    if (match.index > end) pieces.push({ kind: "words", text: text.slice(end, match.index) });
    pieces.push({ kind: match[1] === undefined ? "room" : "mention", text: name });
    end = match.index + 1 + name.length;
  }
  if (end < text.length) pieces.push({ kind: "words", text: text.slice(end) });
  return pieces;
}

// eslint-disable-next-line no-control-regex
const inAscii = /^[\u0000-\u007f]*$/;

/** More marks on one letter than any script has: they would tower over other messages, and take long to be drawn. */
const heapOfMarks = /(\p{M}{12})\p{M}+/gu;

/** A body with no more marks on a letter than can be read. */
export function withoutHeaps(body: string): string {
  if (inAscii.test(body)) return body;
  return body.replace(heapOfMarks, "$1");
}

const longWord = /\S{200}/;

/** Whether a message holds a word as nobody writes it. */
export function hasLongWord(body: string): boolean {
  return longWord.test(body);
}

const onlyEmoji =
  /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|[#*0-9]\ufe0f?\u20e3|\u200d|\ufe0f|[\u{e0020}-\u{e007f}]|\s)+$/u;
const bigEmojiCharsMax = 30;
// What nearly every message holds and no emoji, asked for first: the pattern above takes long to make ready.
const letters = /[a-z\uac00-\ud7a3]/i;

/** Whether a message is a few emoji and nothing else, which are then drawn large. */
export function isEmojiOnly(body: string): boolean {
  return body.length <= bigEmojiCharsMax && body.trim() !== "" && !letters.test(body) && onlyEmoji.test(body);
}
