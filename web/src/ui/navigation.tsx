import { useEffect, useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent, type Ref } from "react";

/** Where the page is. */
export interface Place {
  readonly pathname: string;
  readonly search: URLSearchParams;
  /** Path and search, as an address bar shows them. */
  readonly href: string;
}

const listeners = new Set<() => void>();
let place = readPlace();

function readPlace(): Place {
  const { pathname, search } = window.location;
  return { pathname, search: new URLSearchParams(search), href: pathname + search };
}

function currentPlace(): Place {
  const { pathname, search } = window.location;
  if (place.href !== pathname + search) place = readPlace();
  return place;
}

function tell(): void {
  for (const changed of listeners) changed();
}

function subscribe(changed: () => void): () => void {
  if (listeners.size === 0) window.addEventListener("popstate", tell);
  listeners.add(changed);
  return () => {
    listeners.delete(changed);
    if (listeners.size === 0) window.removeEventListener("popstate", tell);
  };
}

/** Where the page is now. Few addresses, all known here: they need no library of their own. */
export function usePlace(): Place {
  return useSyncExternalStore(subscribe, currentPlace);
}

/** Goes to an address of this app; `replace` leaves no way back to the one before. */
export function navigate(href: string, { replace = false }: { replace?: boolean } = {}): void {
  if (href === currentPlace().href) return;
  if (replace) window.history.replaceState(null, "", href);
  else window.history.pushState(null, "", href);
  tell();
}

/** Leads to another address as soon as it is drawn. */
export function Redirect({ href }: { href: string }) {
  useEffect(() => {
    navigate(href, { replace: true });
  }, [href]);
  return null;
}

/** Whether a click asks for this page, and not for a new tab or window. */
function isPlainClick(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

/** A link to an address of this app. */
export function Link({
  href,
  onClick,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string; ref?: Ref<HTMLAnchorElement> }) {
  return (
    <a
      {...rest}
      href={href}
      onClick={(event) => {
        onClick?.(event);
        if (event.defaultPrevented || !isPlainClick(event)) return;
        event.preventDefault();
        navigate(href);
      }}
    />
  );
}
