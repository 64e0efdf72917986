import { Outlet, useLocation, useRouter } from "@tanstack/react-router";
import { useEffect } from "react";
import { useConfig, useSession } from "../sync/hooks";
import { CrashScreen } from "../ui/crash-screen";
import { ErrorBoundary } from "../ui/error-boundary";
import { safePath } from "./safe-path";
import { StartScreen } from "./start-screen";
import { useViewportHeight } from "./use-viewport-height";

/** Shows what fits who is there: the app to people who are signed in, the card to all others. */
export function Root() {
  useViewportHeight();
  const session = useSession();
  const config = useConfig();
  const { pathname, href, search } = useLocation();
  const router = useRouter();
  const atAccount = pathname === "/signin" || pathname === "/signup";
  const open = atAccount || pathname.startsWith("/invite/");

  let elsewhere: string | null = null;
  if (session.status === "signed-out" && !open) {
    elsewhere = href === "/" ? "/signin" : `/signin?${new URLSearchParams({ next: href }).toString()}`;
  } else if (session.status === "signed-in" && atAccount) {
    elsewhere = safePath((search as { next?: string }).next);
  }

  useEffect(() => {
    if (elsewhere !== null) router.history.replace(elsewhere);
  }, [router, elsewhere]);

  if (session.status === "restoring" || elsewhere !== null)
    return <StartScreen failed={config.status === "failed"} />;
  return (
    <ErrorBoundary resetKey={pathname} fallback={(error) => <CrashScreen error={error} />}>
      <Outlet />
    </ErrorBoundary>
  );
}
