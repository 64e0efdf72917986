import { useEffect } from "react";

/** Keeps the page as high as what is visible, so that the composer stays above a phone's keyboard. */
export function useViewportHeight(): void {
  useEffect(() => {
    const viewport = window.visualViewport;
    if (!viewport) return;
    const fit = () => {
      // While somebody zooms in, the visible part is small for another reason.
      if (viewport.scale !== 1) return;
      document.documentElement.style.setProperty("--app-height", `${viewport.height}px`);
      window.scrollTo(0, 0);
    };
    fit();
    viewport.addEventListener("resize", fit);
    return () => {
      viewport.removeEventListener("resize", fit);
    };
  }, []);
}
