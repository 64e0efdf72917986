/** Which panel stands beside a conversation. It is part of the address, so that going back closes it. */
export type PanelName = "members" | "mood" | "settings";

function withSearch(path: string, search: Record<string, string | number | null | undefined>): string {
  const given = Object.entries(search).flatMap(([name, value]) =>
    value === null || value === undefined || value === "" ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

/** The addresses of the app. */
export const paths = {
  home: "/",
  settings: "/settings",
  room: (roomId: string, { panel, at }: { panel?: PanelName | null; at?: number | null } = {}) =>
    withSearch(`/rooms/${roomId}`, { panel, at }),
  browse: (query = "") => withSearch("/browse", { q: query }),
  invite: (code: string) => `/invite/${encodeURIComponent(code)}`,
  signIn: (next?: string | null) => withSearch("/signin", { next }),
  signUp: (next?: string | null) => withSearch("/signup", { next }),
};

/** A path of this app, for going on after sign-in; anything that could lead elsewhere becomes the start page. */
export function safePath(path: string | null): string {
  return path !== null && /^\/(?![/\\])/.test(path) ? path : paths.home;
}
