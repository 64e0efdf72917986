import i18next, { type i18n } from "i18next";
import { initReactI18next } from "react-i18next";
import type en from "./en.json";

/** The languages the client speaks. */
export const languages = ["en", "ko"] as const;

/** One of {@link languages}. */
export type Language = (typeof languages)[number];

/** Each language by its own name, as its speakers look for it. */
export const languageNames: Record<Language, string> = { en: "English", ko: "한국어" };

declare module "i18next" {
  interface CustomTypeOptions {
    defaultNS: "translation";
    resources: { translation: typeof en };
  }
}

const storageKey = "blabber-hive:language";

function isLanguage(word: string | null | undefined): word is Language {
  return languages.some((language) => language === word);
}

/** The language chosen before on this device, else the browser's first that the client speaks, else English. */
export function preferredLanguage(): Language {
  const chosen = localStorage.getItem(storageKey);
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage) ?? "en";
}

// Each language is a chunk of its own: nobody downloads words that they do not read.
const words: Record<Language, () => Promise<{ default: object }>> = {
  en: () => import("./en.json"),
  ko: () => import("./ko.json"),
};

async function loadWords(instance: i18n, language: Language): Promise<void> {
  if (!instance.hasResourceBundle(language, "translation")) {
    instance.addResourceBundle(language, "translation", (await words[language]()).default);
  }
}

/** Makes the client speak `language`; resolves once its words are there, so that nothing is drawn without them. */
export async function startI18n(language: Language = preferredLanguage()): Promise<i18n> {
  const instance = i18next.use(initReactI18next);
  await instance.init({
    lng: language,
    fallbackLng: false,
    resources: {},
    interpolation: { escapeValue: false },
    react: { useSuspense: false },
    returnNull: false,
  });
  await loadWords(instance, language);
  await instance.changeLanguage(language);
  document.documentElement.lang = language;
  return instance;
}

/** Changes the language now and remembers it on this device. */
export async function chooseLanguage(language: Language): Promise<void> {
  await loadWords(i18next, language);
  await i18next.changeLanguage(language);
  localStorage.setItem(storageKey, language);
  document.documentElement.lang = language;
}

/** The language spoken now. */
export function currentLanguage(): Language {
  return isLanguage(i18next.language) ? i18next.language : "en";
}
