import { SyncProvider } from "../sync/hooks";
import type { Sync } from "../sync/sync";
import { CrashScreen } from "../ui/crash-screen";
import { ErrorBoundary } from "../ui/error-boundary";
import { LiveRegion } from "../ui/live-region";
import { ToastProvider } from "../ui/toast";
import { Root } from "./root";

/** The whole client around one engine. */
export function App({ sync }: { sync: Sync }) {
  return (
    <ErrorBoundary fallback={(error) => <CrashScreen error={error} />}>
      <SyncProvider sync={sync}>
        <ToastProvider>
          <LiveRegion>
            <Root />
          </LiveRegion>
        </ToastProvider>
      </SyncProvider>
    </ErrorBoundary>
  );
}
