import { useTranslation } from "../i18n/use-translation";
import { chooseLanguage, currentLanguage, languageNames, languages } from "../i18n/i18n";
import { classNames } from "./class-names";
import styles from "./language-choice.module.css";

/** The languages by their own names, the one spoken now marked. */
export function LanguageChoice() {
  const { t } = useTranslation();
  const current = currentLanguage();
  return (
    <div className={styles.choice} role="group" aria-label={t("common.language")}>
      {languages.map((language) => (
        <button
          key={language}
          type="button"
          lang={language}
          className={classNames(styles.language, language === current && styles.current)}
          aria-pressed={language === current}
          onClick={() => void chooseLanguage(language)}
        >
          {languageNames[language]}
        </button>
      ))}
    </div>
  );
}
