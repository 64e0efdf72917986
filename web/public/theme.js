// Before the first paint, so that a dark room does not flash. The same key as src/ui/theme.ts.
try {
  const theme = localStorage.getItem("blabber-hive:theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's theme it is.
}
