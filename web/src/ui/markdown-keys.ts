import { matchesKeys } from "./keyboard";

interface Marks {
  readonly keys: readonly string[];
  readonly before: string;
  readonly after: string;
}

/** The keys that mark what is selected, as the list of shortcuts shows them. */
export const markdownKeys = {
  bold: { keys: ["Mod", "B"], before: "**", after: "**" },
  italic: { keys: ["Mod", "I"], before: "_", after: "_" },
  code: { keys: ["Mod", "E"], before: "`", after: "`" },
  link: { keys: ["Mod", "Shift", "U"], before: "[", after: "](https://)" },
} as const satisfies Record<string, Marks>;

/**
 * Replaces a range of a text field as if it had been typed, so that undo works and `input` is told.
 * The old command is the only way that browsers have for it.
 */
export function replaceRange(field: HTMLTextAreaElement, start: number, end: number, text: string): void {
  field.focus();
  field.setSelectionRange(start, end);
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const typed = document.execCommand("insertText", false, text);
  if (!typed) {
    field.setRangeText(text, start, end, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

/** Puts marks around the selection, or takes them away if they are there. */
export function toggleMarks(
  field: HTMLTextAreaElement,
  { before, after }: Pick<Marks, "before" | "after">,
): void {
  const { selectionStart: start, selectionEnd: end, value } = field;
  const selected = value.slice(start, end);
  const marked =
    value.slice(start - before.length, start) === before && value.slice(end, end + after.length) === after;
  if (marked) {
    replaceRange(field, start - before.length, end + after.length, selected);
    field.setSelectionRange(start - before.length, end - before.length);
    return;
  }
  // Several lines of code want a fence, not ticks.
  const fenced = before === "`" && selected.includes("\n");
  const [opening, closing] = fenced ? ["```\n", "\n```"] : [before, after];
  replaceRange(field, start, end, opening + selected + closing);
  field.setSelectionRange(start + opening.length, start + opening.length + selected.length);
}

/** Handles a Markdown shortcut; true if the key was one. */
export function applyMarkdownKeys(event: KeyboardEvent, field: HTMLTextAreaElement): boolean {
  const marks = Object.values(markdownKeys).find(({ keys }) => matchesKeys(event, keys));
  if (!marks) return false;
  event.preventDefault();
  toggleMarks(field, marks);
  return true;
}
