const cellPath =
  "M13.8 2.6a4.4 4.4 0 0 1 4.4 0l7.1 4.1a4.4 4.4 0 0 1 2.2 3.8v8.2a4.4 4.4 0 0 1-2.2 3.8l-7.1 4.1a4.4 4.4 0 0 1-1.5.55L11.5 30.3a.9.9 0 0 1-1.4-.95l.5-3.6-3.9-2.25a4.4 4.4 0 0 1-2.2-3.8v-9.2a4.4 4.4 0 0 1 2.2-3.8z";

const badges = {
  none: "",
  unread: `<circle cx="24" cy="7" r="6" fill="#fff"/><circle cx="24" cy="7" r="4.6" fill="#855700"/>`,
  mention: `<circle cx="24" cy="7" r="6.4" fill="#fff"/><circle cx="24" cy="7" r="5" fill="#c0332a"/>`,
} as const;

/** What the tab's icon says: nothing new, something unread, or somebody called me. */
export type FaviconBadge = keyof typeof badges;

/** Draws the mark with its badge as the icon of the tab. */
export function showFavicon(badge: FaviconBadge): void {
  const link = document.querySelector<HTMLLinkElement>('link[rel="icon"]');
  if (!link || link.dataset.badge === badge) return;
  link.dataset.badge = badge;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="1.6 1.6 28.8 28.8"><path d="${cellPath}" fill="#f0a81c"/>` +
    `<path d="M10.8 12.4h10.4M10.8 17.2h6.4" stroke="#2b1d00" stroke-width="2.4" stroke-linecap="round"/>${badges[badge]}</svg>`;
  link.href = `data:image/svg+xml,${encodeURIComponent(svg)}`;
}
