import { Outlet, useNavigate, useParams, useRouterState } from "@tanstack/react-router";
import { createContext, lazy, Suspense, use, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { ConnectionLine } from "../features/connection/connection-line";
import { Sidebar } from "../features/sidebar/sidebar";
import type { RoomId } from "../protocol/ids";
import { useSession } from "../sync/hooks";
import { CrashScreen } from "../ui/crash-screen";
import { ErrorBoundary } from "../ui/error-boundary";
import { narrowQuery, useMediaQuery } from "../ui/use-media-query";
import { AppMessageLinks } from "./message-links";
import { UpdateNotice } from "./update-notice";
import { useAppShortcuts } from "./use-app-shortcuts";
import { useArrivalSound } from "./use-arrival-sound";
import styles from "./app.module.css";

const NewRoomDialog = lazy(() => import("../features/rooms/new-room-dialog"));
const Switcher = lazy(() => import("../features/switcher/switcher"));
const ShortcutsDialog = lazy(() => import("../features/shortcuts/shortcuts-dialog"));

/** What any screen in the frame can open. */
export interface FrameActions {
  openRoom: (roomId: RoomId) => void;
  openNewRoom: () => void;
  browse: (query: string) => void;
  showShortcuts: () => void;
}

const FrameContext = createContext<FrameActions | null>(null);

/** What the frame around a screen can open. */
export function useFrame(): FrameActions {
  const actions = use(FrameContext);
  if (!actions) throw new Error("useFrame outside Frame");
  return actions;
}

type OpenDialog = "new-room" | "switcher" | "shortcuts" | null;

/** The sidebar, one screen beside it, and the dialogs that lie over both. */
export function Frame() {
  const { t } = useTranslation();
  const session = useSession();
  const navigate = useNavigate();
  const narrow = useMediaQuery(narrowQuery);
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const { roomId } = useParams({ strict: false });
  const currentRoomId = roomId === undefined ? null : (roomId as RoomId);
  const [dialog, setDialog] = useState<OpenDialog>(null);

  const actions = useMemo(
    (): FrameActions => ({
      openRoom: (id) => {
        setDialog(null);
        void navigate({ to: "/rooms/$roomId", params: { roomId: id } });
      },
      openNewRoom: () => {
        setDialog("new-room");
      },
      browse: (query) => {
        setDialog(null);
        void navigate({ to: "/browse", search: { q: query || undefined } });
      },
      showShortcuts: () => {
        setDialog("shortcuts");
      },
    }),
    [navigate],
  );
  const close = () => {
    setDialog(null);
  };

  useArrivalSound(currentRoomId);
  useAppShortcuts({
    currentRoomId,
    onSwitcher: () => {
      setDialog(dialog === "switcher" ? null : "switcher");
    },
    onHelp: actions.showShortcuts,
    onOpenRoom: actions.openRoom,
    onSettings: () => void navigate({ to: "/settings" }),
  });

  if (session.status !== "signed-in") return null;
  const home = pathname === "/";
  return (
    <FrameContext value={actions}>
      <AppMessageLinks me={session.me}>
        {currentRoomId && (
          <button
            type="button"
            className={styles.skip}
            onClick={() => {
              document.querySelector<HTMLElement>("[data-composer]")?.focus();
            }}
          >
            {t("app.skipToMessage")}
          </button>
        )}
        <div className={styles.frame}>
          {(!narrow || home) && (
            <Sidebar
              me={session.me}
              currentRoomId={currentRoomId}
              connectionLine={<ConnectionLine />}
              onNewRoom={actions.openNewRoom}
              onBrowse={() => {
                actions.browse("");
              }}
              onSwitch={() => {
                setDialog("switcher");
              }}
            />
          )}
          {(!narrow || !home) && (
            <main className={styles.main}>
              <ErrorBoundary resetKey={pathname} fallback={(error) => <CrashScreen error={error} />}>
                <Outlet />
              </ErrorBoundary>
            </main>
          )}
        </div>
        <UpdateNotice />
        <Suspense>
          {dialog === "new-room" && <NewRoomDialog onClose={close} onMade={actions.openRoom} />}
          {dialog === "switcher" && (
            <Switcher onClose={close} onOpen={actions.openRoom} onBrowse={actions.browse} />
          )}
          {dialog === "shortcuts" && <ShortcutsDialog onClose={close} />}
        </Suspense>
      </AppMessageLinks>
    </FrameContext>
  );
}
