import { useState, type ReactNode } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { chooseLanguage, currentLanguage, languageNames, languages } from "../../i18n/i18n";
import type { Me } from "../../protocol/model";
import { useConfig } from "../../sync/hooks";
import { Button } from "../../ui/button";
import { Choice } from "../../ui/choice";
import { chooseTheme, chosenTheme, type Theme } from "../../ui/theme";
import { DeviceList } from "./device-list";
import { PasswordForm } from "./password-form";
import { ProfileForm } from "./profile-form";
import { SignOutButton } from "./sign-out-button";
import { SoundChoice } from "./sound-choice";
import styles from "./settings.module.css";

/** What is mine: how I am shown, how the app looks, where I am signed in. */
export default function SettingsPage({
  me,
  backButton,
  onShowShortcuts,
}: {
  me: Me;
  backButton: ReactNode;
  onShowShortcuts: () => void;
}) {
  const { t } = useTranslation();
  const config = useConfig();
  const [theme, setTheme] = useState<Theme>(chosenTheme);
  const local = config.status === "ready" && config.config.auth.provider === "local";
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        {backButton}
        <h1 className={styles.title}>{t("settings.title")}</h1>
      </header>
      <div className={styles.scroll}>
        <div className={styles.column}>
          <Section title={t("settings.profile")}>
            <ProfileForm me={me} />
          </Section>
          <Section title={t("settings.appearance")}>
            <Choice
              legend={t("settings.theme")}
              direction="row"
              value={theme}
              onChange={(next) => {
                setTheme(next);
                chooseTheme(next);
              }}
              options={[
                { value: "system", label: t("settings.themeSystem") },
                { value: "light", label: t("settings.themeLight") },
                { value: "dark", label: t("settings.themeDark") },
              ]}
            />
            <Choice
              legend={t("settings.language")}
              direction="row"
              value={currentLanguage()}
              onChange={(language) => void chooseLanguage(language)}
              options={languages.map((language) => ({ value: language, label: languageNames[language] }))}
            />
            <SoundChoice />
          </Section>
          {local && (
            <>
              <Section title={t("settings.devices")}>
                <DeviceList />
              </Section>
              <Section title={t("settings.password")}>
                <PasswordForm username={me.username} />
              </Section>
            </>
          )}
          <Section title={t("settings.about")}>
            <div className={styles.row}>
              {config.status === "ready" && (
                <span className={styles.muted}>
                  {t("settings.version", { version: config.config.version })}
                </span>
              )}
              <Button kind="quiet" onClick={onShowShortcuts}>
                {t("settings.shortcuts")}
              </Button>
            </div>
            <SignOutButton />
          </Section>
        </div>
      </div>
    </div>
  );
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className={styles.section}>
      <h2 className={styles.sectionTitle}>{title}</h2>
      <div className={styles.sectionBody}>{children}</div>
    </section>
  );
}
