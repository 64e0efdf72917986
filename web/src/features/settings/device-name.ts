/** The browser and the system that a user agent names; null for what is not known. */
export function deviceOf(userAgent: string): { browser: string; system: string } | null {
  // Order matters: each browser also names those it is like.
  const browsers: [RegExp, string][] = [
    [/\bEdg(?:e|A|iOS)?\//, "Edge"],
    [/\b(?:OPR|Opera)\//, "Opera"],
    [/\bSamsungBrowser\//, "Samsung Internet"],
    [/\bWhale\//, "Whale"],
    [/\b(?:Firefox|FxiOS)\//, "Firefox"],
    [/\b(?:Chrome|CriOS|Chromium)\//, "Chrome"],
    [/\bVersion\/.*Safari\//, "Safari"],
  ];
  const systems: [RegExp, string][] = [
    [/\bAndroid\b/, "Android"],
    [/\biPad\b/, "iPadOS"],
    [/\biPhone\b/, "iOS"],
    [/\bWindows\b/, "Windows"],
    [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
    [/\bCrOS\b/, "ChromeOS"],
    [/\bLinux\b/, "Linux"],
  ];
  const browser = browsers.find(([pattern]) => pattern.test(userAgent))?.[1];
  const system = systems.find(([pattern]) => pattern.test(userAgent))?.[1];
  return browser && system ? { browser, system } : null;
}
