import { useConfig, useSession } from "../sync/hooks";
import { CrashScreen } from "../ui/crash-screen";
import { ErrorBoundary } from "../ui/error-boundary";
import { Redirect, usePlace } from "../ui/navigation";
import { paths, safePath } from "../ui/paths";
import { Frame } from "./frame";
import { screenAt } from "./screens";
import { StartScreen } from "./start-screen";
import { useViewportHeight } from "./use-viewport-height";

/** Shows what fits who is there: the app to people who are signed in, the card to all others. */
export function Root() {
  useViewportHeight();
  const session = useSession();
  const config = useConfig();
  const place = usePlace();
  const screen = screenAt(place);

  if (session.status === "restoring") return <StartScreen failed={config.status === "failed"} />;
  if (session.status === "signed-out" && screen.audience === "member") {
    return <Redirect href={paths.signIn(place.href === paths.home ? null : place.href)} />;
  }
  if (session.status === "signed-in" && screen.audience === "account") {
    return <Redirect href={safePath(place.search.get("next"))} />;
  }
  return (
    <ErrorBoundary resetKey={place.pathname} fallback={(error) => <CrashScreen error={error} />}>
      {screen.framed && session.status === "signed-in" ? (
        <Frame me={session.me} atHome={place.pathname === paths.home} roomId={screen.roomId}>
          {screen.content}
        </Frame>
      ) : (
        screen.content
      )}
    </ErrorBoundary>
  );
}
