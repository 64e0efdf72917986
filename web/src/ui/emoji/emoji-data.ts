import type { Language } from "../../i18n/i18n";

/** An entry of emojibase's compact data, as far as it is read here. */
interface CompactEmoji {
  hexcode: string;
  unicode: string;
  label: string;
  tags?: string[];
  group?: number;
  order?: number;
}

type Shortcodes = Record<string, string | string[] | undefined>;

/** One emoji, with the words it is found by in the language spoken. */
export interface Emoji {
  unicode: string;
  label: string;
  /** Without colons, the most common first. */
  shortcodes: readonly string[];
  /** Everything it is found by, lower case. */
  words: readonly string[];
  group: EmojiGroup;
}

/** The groups of the picker, in order; `component` (skin tones, hair) is not a thing to send alone. */
export const emojiGroups = [
  "smileys-emotion",
  "people-body",
  "animals-nature",
  "food-drink",
  "travel-places",
  "activities",
  "objects",
  "symbols",
  "flags",
] as const;

/** One of {@link emojiGroups}. */
export type EmojiGroup = (typeof emojiGroups)[number];

/** The number of each group in the data. */
const groupNumbers: Record<number, EmojiGroup> = {
  0: "smileys-emotion",
  1: "people-body",
  3: "animals-nature",
  4: "food-drink",
  5: "travel-places",
  6: "activities",
  7: "objects",
  8: "symbols",
  9: "flags",
};

const datasets: Record<Language, () => Promise<{ default: unknown }>> = {
  en: () => import("emojibase-data/en/compact.json"),
  ko: () => import("emojibase-data/ko/compact.json"),
};

const loading = new Map<Language, Promise<readonly Emoji[]>>();

async function load(language: Language): Promise<readonly Emoji[]> {
  const [data, codes] = await Promise.all([
    datasets[language](),
    import("emojibase-data/en/shortcodes/emojibase.json"),
  ]);
  const shortcodes = codes.default as Shortcodes;
  return (data.default as CompactEmoji[])
    .filter((entry) => entry.group !== undefined && entry.group in groupNumbers)
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map((entry) => {
      const codesOf = [shortcodes[entry.hexcode] ?? []].flat();
      return {
        unicode: entry.unicode,
        label: entry.label,
        shortcodes: codesOf,
        words: [...codesOf, entry.label, ...(entry.tags ?? [])].map((word) => word.toLowerCase()),
        group: groupNumbers[entry.group!]!,
      };
    });
}

/** All emoji in the language spoken, loaded on first need; a load that fails is tried again next time. */
export function loadEmoji(language: Language): Promise<readonly Emoji[]> {
  let promise = loading.get(language);
  if (!promise) {
    promise = load(language);
    loading.set(language, promise);
    promise.catch(() => loading.delete(language));
  }
  return promise;
}

/** The emoji that match a few letters: names that begin so first, then words that do, then any that hold them. */
export function searchEmoji(all: readonly Emoji[], query: string, max: number): Emoji[] {
  const wanted = query.trim().toLowerCase();
  if (wanted === "") return all.slice(0, max);
  const ranked: [Emoji, number][] = [];
  for (const emoji of all) {
    const rank = rankOf(emoji, wanted);
    if (rank !== null) ranked.push([emoji, rank]);
  }
  // Sorting keeps the order of the data among equals.
  return ranked
    .sort((a, b) => a[1] - b[1])
    .slice(0, max)
    .map(([emoji]) => emoji);
}

function rankOf(emoji: Emoji, wanted: string): number | null {
  if (emoji.shortcodes.includes(wanted)) return 0;
  if (emoji.shortcodes.some((code) => code.startsWith(wanted))) return 1;
  if (emoji.words.some((word) => word.startsWith(wanted))) return 2;
  return emoji.words.some((word) => word.includes(wanted)) ? 3 : null;
}
