const storageKey = "blabber-hive:recent-emoji";
const recentMax = 16;
const usual = ["👍", "❤️", "😂", "🎉", "👀", "🙏", "✅", "🔥"];

/** The emoji used last on this device, newest first; the usual ones until there are some. */
export function recentEmoji(): readonly string[] {
  const stored = (localStorage.getItem(storageKey) ?? "").split(" ").filter(Boolean);
  return [...new Set([...stored, ...usual])].slice(0, recentMax);
}

/** Remembers an emoji as the one used last. */
export function rememberEmoji(emoji: string): void {
  localStorage.setItem(storageKey, [...new Set([emoji, ...recentEmoji()])].slice(0, recentMax).join(" "));
}
