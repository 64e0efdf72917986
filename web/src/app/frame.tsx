import { lazy, Suspense, useMemo, useState, type ReactNode } from "react";
import { useTranslation } from "../i18n/use-translation";
import { ConnectionLine } from "../features/connection/connection-line";
import { Sidebar } from "../features/sidebar/sidebar";
import type { RoomId } from "../protocol/ids";
import type { Me } from "../protocol/model";
import { classNames } from "../ui/class-names";
import { CrashScreen } from "../ui/crash-screen";
import { ErrorBoundary } from "../ui/error-boundary";
import { navigate } from "../ui/navigation";
import { paths } from "../ui/paths";
import { narrowQuery, useMediaQuery } from "../ui/use-media-query";
import { FrameActionsProvider, type FrameActions } from "./frame-actions";
import { AppMessageLinks } from "./message-links";
import { UpdateNotice } from "./update-notice";
import { useAppShortcuts } from "./use-app-shortcuts";
import { useArrivalSound } from "./use-arrival-sound";
import styles from "./app.module.css";

const NewRoomDialog = lazy(() => import("../features/rooms/new-room-dialog"));
const Switcher = lazy(() => import("../features/switcher/switcher"));
const ShortcutsDialog = lazy(() => import("../features/shortcuts/shortcuts-dialog"));

type OpenDialog = "new-room" | "switcher" | "shortcuts" | null;

/** The sidebar, one screen beside it, and the dialogs that lie over both. */
export function Frame({
  me,
  atHome,
  roomId,
  children,
}: {
  me: Me;
  /** At the address without a screen of its own: a narrow page shows the rooms there. */
  atHome: boolean;
  roomId: RoomId | null;
  children: ReactNode;
}) {
  const { t } = useTranslation();
  const narrow = useMediaQuery(narrowQuery);
  const [dialog, setDialog] = useState<OpenDialog>(null);

  const actions = useMemo(
    (): FrameActions => ({
      openRoom: (id) => {
        setDialog(null);
        navigate(paths.room(id));
      },
      openNewRoom: () => {
        setDialog("new-room");
      },
      browse: (query) => {
        setDialog(null);
        navigate(paths.browse(query));
      },
      showShortcuts: () => {
        setDialog("shortcuts");
      },
    }),
    [],
  );
  const close = () => {
    setDialog(null);
  };

  useArrivalSound(roomId);
  useAppShortcuts({
    currentRoomId: roomId,
    onSwitcher: () => {
      setDialog(dialog === "switcher" ? null : "switcher");
    },
    onHelp: actions.showShortcuts,
    onOpenRoom: actions.openRoom,
    onSettings: () => {
      navigate(paths.settings);
    },
  });

  const sidebar = (
    <Sidebar
      me={me}
      currentRoomId={roomId}
      connectionLine={<ConnectionLine />}
      onNewRoom={actions.openNewRoom}
      onBrowse={() => {
        actions.browse("");
      }}
      onSwitch={() => {
        setDialog("switcher");
      }}
    />
  );
  return (
    <FrameActionsProvider value={actions}>
      <AppMessageLinks me={me}>
        {roomId !== null && (
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
          {narrow && atHome && (
            <main className={styles.home}>
              <h1 className="visually-hidden">{t("sidebar.label")}</h1>
              {sidebar}
            </main>
          )}
          {!narrow && sidebar}
          {(!narrow || !atHome) && (
            <main className={classNames(styles.main, narrow && styles.alone)}>
              {narrow && <ConnectionLine above />}
              <ErrorBoundary resetKey={roomId ?? ""} fallback={(error) => <CrashScreen error={error} />}>
                {children}
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
    </FrameActionsProvider>
  );
}
