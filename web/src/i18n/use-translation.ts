import { useSyncExternalStore } from "react";
import { currentSpeech, onLanguageChange, type Translate } from "./i18n";

/** The words of the client; what uses it is drawn again when the language changes. */
export function useTranslation(): { t: Translate } {
  return useSyncExternalStore(onLanguageChange, currentSpeech);
}
