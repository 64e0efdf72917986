import { markdownKeys } from "../../ui/markdown-keys";

/** Keys of the whole app: handled in one place and listed as they are handled. */
export const appShortcuts = {
  switcher: ["Mod", "K"],
  nextUnread: ["Alt", "Shift", "ArrowDown"],
  previousRoom: ["Alt", "ArrowUp"],
  nextRoom: ["Alt", "ArrowDown"],
  toComposer: ["Shift", "F6"],
  toMessages: ["F6"],
  members: ["Mod", "Shift", "M"],
  mood: ["Mod", "Shift", "L"],
  settings: ["Mod", ","],
  help: ["?"],
} as const satisfies Record<string, readonly string[]>;

/** One of {@link appShortcuts}. */
export type AppShortcut = keyof typeof appShortcuts;

/** The groups of the list, each line a thing to do and the keys for it. */
export const shortcutGroups = [
  {
    title: "groupGo",
    lines: (Object.keys(appShortcuts) as AppShortcut[]).map((name) => ({ name, keys: appShortcuts[name] })),
  },
  {
    title: "groupRead",
    lines: [
      { name: "moveMessages", keys: ["ArrowUp", "ArrowDown"] },
      { name: "firstLast", keys: ["Home", "End"] },
      { name: "reply", keys: ["R"] },
      { name: "react", keys: ["+"] },
      { name: "edit", keys: ["E"] },
      { name: "delete", keys: ["Delete"] },
      { name: "markUnread", keys: ["U"] },
      { name: "moodBars", keys: ["ArrowLeft", "ArrowRight"] },
      { name: "close", keys: ["Escape"] },
    ],
  },
  {
    title: "groupWrite",
    lines: [
      { name: "send", keys: ["Enter"] },
      { name: "newline", keys: ["Shift", "Enter"] },
      { name: "editLast", keys: ["ArrowUp"] },
      { name: "complete", keys: ["@", "#", ":"] },
      { name: "bold", keys: markdownKeys.bold.keys },
      { name: "italic", keys: markdownKeys.italic.keys },
      { name: "code", keys: markdownKeys.code.keys },
      { name: "link", keys: markdownKeys.link.keys },
    ],
  },
] as const;

/** The lines that mean nothing where the server has no moods. */
export const moodLines: ReadonlySet<string> = new Set(["mood", "moodBars"]);
