import { RouterProvider } from "@tanstack/react-router";
import { SyncProvider } from "../sync/hooks";
import type { Sync } from "../sync/sync";
import { CrashScreen } from "../ui/crash-screen";
import { ErrorBoundary } from "../ui/error-boundary";
import { LiveRegion } from "../ui/live-region";
import { ToastProvider } from "../ui/toast";
import { TooltipProvider } from "../ui/tooltip";
import type { AppRouter } from "./router";

/** The whole client around one engine. */
export function App({ sync, router }: { sync: Sync; router: AppRouter }) {
  return (
    <ErrorBoundary fallback={(error) => <CrashScreen error={error} />}>
      <SyncProvider sync={sync}>
        <TooltipProvider>
          <ToastProvider>
            <LiveRegion>
              <RouterProvider router={router} />
            </LiveRegion>
          </ToastProvider>
        </TooltipProvider>
      </SyncProvider>
    </ErrorBoundary>
  );
}
