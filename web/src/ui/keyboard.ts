const appleDevice = /Mac|iPhone|iPad/.test(typeof navigator === "undefined" ? "" : navigator.platform);

const appleLabels: Record<string, string> = { Mod: "⌘", Shift: "⇧", Alt: "⌥", Enter: "↵" };
const otherLabels: Record<string, string> = { Mod: "Ctrl", Enter: "↵" };
const sharedLabels: Record<string, string> = {
  ArrowUp: "↑",
  ArrowDown: "↓",
  ArrowLeft: "←",
  ArrowRight: "→",
  Escape: "Esc",
};

/** The word or sign for a key on this platform; `Mod` is ⌘ on Apple's and Ctrl elsewhere. */
export function keyLabel(key: string): string {
  return (appleDevice ? appleLabels : otherLabels)[key] ?? sharedLabels[key] ?? key;
}

interface KeyPress {
  readonly key: string;
  readonly code: string;
  readonly metaKey: boolean;
  readonly ctrlKey: boolean;
  readonly shiftKey: boolean;
  readonly altKey: boolean;
}

/**
 * Whether a key press is exactly these keys. Letters are compared by position (`code`), because with a Korean
 * input method `key` is a Hangul letter or `Process`.
 */
export function matchesKeys(event: KeyPress, keys: readonly string[]): boolean {
  const mod = appleDevice ? event.metaKey : event.ctrlKey;
  const otherMod = appleDevice ? event.ctrlKey : event.metaKey;
  if (otherMod || mod !== keys.includes("Mod") || event.altKey !== keys.includes("Alt")) return false;
  const main = keys.find((key) => key !== "Mod" && key !== "Alt" && key !== "Shift");
  if (main === undefined) return false;
  if (/^[A-Z]$/.test(main)) return event.code === `Key${main}` && event.shiftKey === keys.includes("Shift");
  // Signs such as `?` already need Shift on many layouts; their `key` says all.
  if (main.length === 1) return event.key === main;
  return event.key === main && event.shiftKey === keys.includes("Shift");
}

/** Whether typing goes into this element, so that single-key shortcuts must not fire. */
export function isTypingTarget(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
