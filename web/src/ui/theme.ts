/** How the client looks: as the system does, or as chosen. */
export type Theme = "system" | "light" | "dark";

// public/theme.js reads the same key before the first paint.
const storageKey = "blabber-hive:theme";

/** The theme chosen on this device. */
export function chosenTheme(): Theme {
  const stored = localStorage.getItem(storageKey);
  return stored === "light" || stored === "dark" ? stored : "system";
}

/** Changes the theme now and remembers it on this device. */
export function chooseTheme(theme: Theme): void {
  if (theme === "system") {
    localStorage.removeItem(storageKey);
    delete document.documentElement.dataset.theme;
  } else {
    localStorage.setItem(storageKey, theme);
    document.documentElement.dataset.theme = theme;
  }
}
