import { createContext, use, useCallback, useRef, type ReactNode } from "react";

const AnnounceContext = createContext<((text: string) => void) | null>(null);

const announcementsKeptMax = 8;

/** Says something to people who listen, when they are ready for it. */
export function useAnnounce(): (text: string) => void {
  const announce = use(AnnounceContext);
  if (!announce) throw new Error("useAnnounce outside LiveRegion");
  return announce;
}

/**
 * The one polite region of the app. Each announcement is a paragraph of its own that is added and later removed:
 * changing a text in place would swallow what arrives while another is being read.
 */
export function LiveRegion({ children }: { children: ReactNode }) {
  const region = useRef<HTMLDivElement>(null);
  const announce = useCallback((text: string) => {
    const element = region.current;
    if (!element) return;
    const line = document.createElement("p");
    line.textContent = text;
    element.append(line);
    while (element.childElementCount > announcementsKeptMax) element.firstElementChild?.remove();
  }, []);
  return (
    <AnnounceContext value={announce}>
      {children}
      <div
        ref={region}
        className="visually-hidden"
        aria-live="polite"
        aria-relevant="additions"
        data-live-region=""
      />
    </AnnounceContext>
  );
}
