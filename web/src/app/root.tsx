import { lazy, Suspense, useEffect } from "react";
import { useConfig, useSession } from "../sync/hooks";
import { CrashScreen } from "../ui/crash-screen";
import { ErrorBoundary } from "../ui/error-boundary";
import { Redirect, usePlace } from "../ui/navigation";
import { paths, safePath } from "../ui/paths";
import { loadHive } from "./load-hive";
import { screenAt } from "./screens";
import { StartScreen } from "./start-screen";
import { useViewportHeight } from "./use-viewport-height";

const Hive = lazy(loadHive);

/** Shows what fits who is there: the app to people who are signed in, the card to all others. */
export function Root() {
  useViewportHeight();
  const session = useSession();
  const config = useConfig();
  const place = usePlace();
  const screen = screenAt(place);

  // Who begins to type a name and a password will need the rest in a moment.
  const outside = session.status === "signed-out";
  useEffect(() => {
    if (!outside) return;
    const load = () => void loadHive().catch(() => undefined);
    window.addEventListener("input", load, { once: true });
    return () => {
      window.removeEventListener("input", load);
    };
  }, [outside]);

  if (session.status === "restoring") return <StartScreen failed={config.status === "failed"} />;
  if (session.status === "signed-out" && screen.audience === "member") {
    return <Redirect href={paths.signIn(place.href === paths.home ? null : place.href)} />;
  }
  if (session.status === "signed-in" && screen.audience === "account") {
    return <Redirect href={safePath(place.search.get("next"))} />;
  }
  return (
    <ErrorBoundary resetKey={place.pathname} fallback={(error) => <CrashScreen error={error} />}>
      {screen.page ??
        (session.status === "signed-in" && (
          <Suspense fallback={<StartScreen failed={false} />}>
            <Hive me={session.me} place={place} />
          </Suspense>
        ))}
    </ErrorBoundary>
  );
}
