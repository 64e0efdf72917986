import type en from "./en.json";

/** The languages the client speaks. */
export const languages = ["en", "ko"] as const;

/** One of {@link languages}. */
export type Language = (typeof languages)[number];

/** Each language by its own name, as its speakers look for it. */
export const languageNames: Record<Language, string> = { en: "English", ko: "한국어" };

type Words = { readonly [key: string]: string | Words };

/** The paths of all words: "account.errors.passwordShort". */
type PathsOf<Tree> = {
  [Key in keyof Tree & string]: Tree[Key] extends string ? Key : `${Key}.${PathsOf<Tree[Key]>}`;
}[keyof Tree & string];

type Path = PathsOf<typeof en>;

/** A key of the words; what depends on a count is asked for without its ending. */
export type WordKey = Path extends infer Key
  ? Key extends `${infer Base}_one` | `${infer Base}_other`
    ? Base
    : Key
  : never;

/** What fills the gaps of a sentence; `count` also chooses between singular and plural. */
export type Gaps = Readonly<Record<string, string | number>> & { readonly count?: number };

/** Says something in the language spoken. */
export type Translate = (key: WordKey, gaps?: Gaps) => string;

interface Speech {
  readonly language: Language;
  readonly t: Translate;
}

const storageKey = "blabber-hive:language";

// Each language is a chunk of its own: nobody downloads words that they do not read.
const loadWords: Record<Language, () => Promise<{ default: Words }>> = {
  en: () => import("./en.json"),
  ko: () => import("./ko.json"),
};

const listeners = new Set<() => void>();
let speech: Speech = { language: "en", t: (key) => key };

function isLanguage(word: string | null | undefined): word is Language {
  return languages.some((language) => language === word);
}

function flatten(words: Words, prefix: string, flat: Map<string, string>): Map<string, string> {
  for (const [key, value] of Object.entries(words)) {
    if (typeof value === "string") flat.set(prefix + key, value);
    else flatten(value, `${prefix}${key}.`, flat);
  }
  return flat;
}

function speak(language: Language, words: Words): Speech {
  const sentences = flatten(words, "", new Map());
  const plurals = new Intl.PluralRules(language);
  const t: Translate = (key, gaps) => {
    const sentence =
      (gaps?.count === undefined ? undefined : sentences.get(`${key}_${plurals.select(gaps.count)}`)) ??
      sentences.get(key) ??
      key;
    return gaps === undefined
      ? sentence
      : sentence.replace(/\{\{(\w+)\}\}/g, (gap, name: string) => String(gaps[name] ?? gap));
  };
  return { language, t };
}

/** The language chosen before on this device, else the browser's first that the client speaks, else English. */
export function preferredLanguage(): Language {
  const chosen = localStorage.getItem(storageKey);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? "en";
}

/** Makes the client speak `language`; resolves once its words are there, so that nothing is drawn without them. */
export async function startI18n(language: Language = preferredLanguage()): Promise<void> {
  speech = speak(language, (await loadWords[language]()).default);
  document.documentElement.lang = language;
  for (const changed of listeners) changed();
}

/** Changes the language now and remembers it on this device. */
export async function chooseLanguage(language: Language): Promise<void> {
  await startI18n(language);
  localStorage.setItem(storageKey, language);
}

/** The language spoken now. */
export function currentLanguage(): Language {
  return speech.language;
}

/** How things are said now; another object once the language changes. */
export function currentSpeech(): Speech {
  return speech;
}

/** Calls back when the language changes, until the returned function is called. */
export function onLanguageChange(changed: () => void): () => void {
  listeners.add(changed);
  return () => {
    listeners.delete(changed);
  };
}
