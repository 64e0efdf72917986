import { createContext, use, useMemo, useRef, type ReactNode } from "react";

interface Announcer {
  /** Says something to people who listen, when they are ready for it. */
  announce: (text: string) => void;
  /** Takes back what was said: it stays nowhere that it does not belong. */
  hush: () => void;
}

const AnnouncerContext = createContext<Announcer | null>(null);

const announcementsKeptMax = 8;

/** What speaks to people who listen. */
export function useAnnouncer(): Announcer {
  const announcer = use(AnnouncerContext);
  if (!announcer) throw new Error("useAnnouncer outside LiveRegion");
  return announcer;
}

/**
 * The one polite region of the app. Each announcement is a paragraph of its own that is added and later removed:
 * changing a text in place would swallow what arrives while another is being read.
 */
export function LiveRegion({ children }: { children: ReactNode }) {
  const region = useRef<HTMLDivElement>(null);
  const announcer = useMemo(
    (): Announcer => ({
      announce: (text) => {
        const element = region.current;
        if (!element) return;
        const line = document.createElement("p");
        line.textContent = text;
        element.append(line);
        while (element.childElementCount > announcementsKeptMax) element.firstElementChild?.remove();
      },
      hush: () => region.current?.replaceChildren(),
    }),
    [],
  );
  return (
    <AnnouncerContext value={announcer}>
      {children}
      <div
        ref={region}
        className="visually-hidden"
        aria-live="polite"
        aria-relevant="additions"
        data-live-region=""
      />
    </AnnouncerContext>
  );
}
