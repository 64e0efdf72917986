import { configure, render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { vi } from "vitest";
import { currentSpeech, startI18n, type Language } from "../i18n/i18n";
import type { FakePage } from "../testing/fake-browser";
import { App } from "./app";
import { loadHive } from "./load-hive";

/** What jsdom does not have: it lays nothing out, so nothing is resized, scrolled or in view. */
function fillIn(): void {
  class Observer {
    observe() {}
    unobserve() {}
    disconnect() {}
    takeRecords() {
      return [];
    }
  }
  vi.stubGlobal("ResizeObserver", Observer);
  vi.stubGlobal("IntersectionObserver", Observer);
  vi.stubGlobal("matchMedia", (query: string) => ({
    matches: false,
    media: query,
    addEventListener() {},
    removeEventListener() {},
  }));
  vi.stubGlobal("CSS", { escape: (text: string) => text, supports: () => true });
  Element.prototype.scrollIntoView = () => undefined;
  window.scrollTo = () => undefined;
  document.hasFocus = () => true;
  // Says that it typed nothing: the text is then put in by hand.
  Object.assign(document, { execCommand: () => false });
  // Screens that are loaded when they are opened take their time on a busy machine.
  configure({ asyncUtilTimeout: 8000 });
}

/** Draws the whole client at an address, in a language, around the engine of a page. */
export async function renderApp(page: FakePage, path: string, language: Language) {
  fillIn();
  await startI18n(language);
  // Much the largest part, which a busy machine takes long to read: no test is about waiting for it.
  await loadHive();
  window.history.replaceState(null, "", path);
  const view = render(<App sync={page.sync} />);
  return { ...view, t: currentSpeech().t, user: userEvent.setup() };
}
