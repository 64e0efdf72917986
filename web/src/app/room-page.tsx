import { lazy, Suspense, useEffect, useEffectEvent, useRef, useState } from "react";
import { useTranslation } from "../i18n/use-translation";
import { Composer, type ComposerHandle } from "../features/composer/composer";
import { RoomHeader } from "../features/rooms/room-header";
import { Timeline, type TimelineHandle } from "../features/timeline/timeline";
import { TypingLine } from "../features/timeline/typing-line";
import type { RoomId, Seq } from "../protocol/ids";
import type { Me } from "../protocol/model";
import { useMoodOffered, useRoom, useSession, useSync } from "../sync/hooks";
import type { RoomView } from "../sync/views";
import { buttonClass } from "../ui/button";
import { EmptyState } from "../ui/empty-state";
import { SkeletonRows } from "../ui/skeleton";
import { Link, navigate } from "../ui/navigation";
import { paths, type PanelName } from "../ui/paths";
import { coveredQuery, useMediaQuery } from "../ui/use-media-query";
import { BackButton } from "./back-button";
import { rememberRoom } from "./last-room";
import { screenShortcut } from "./use-app-shortcuts";
import { usePageTitle } from "./use-page-title";
import styles from "./app.module.css";

const LeaveDialog = lazy(() => import("../features/room-settings/leave-dialog"));
const MembersPanel = lazy(() => import("../features/members/members-panel"));
const MoodPanel = lazy(() => import("../features/mood/mood-panel"));
const RoomSettingsPanel = lazy(() => import("../features/room-settings/room-settings-panel"));

/** A room that is open: its messages, the field below them, and a panel on demand. */
export function RoomPage({ roomId, panel, at }: { roomId: RoomId; panel: PanelName | null; at: Seq | null }) {
  const { t } = useTranslation();
  const session = useSession();
  const state = useRoom(roomId);
  usePageTitle(state.status === "ready" ? state.room.name : null);
  if (session.status !== "signed-in") return null;
  if (state.status === "loading") {
    return (
      <div className={styles.waiting}>
        <SkeletonRows count={8} label={t("timeline.loading")} />
      </div>
    );
  }
  if (state.status === "absent") {
    return (
      <div className={styles.centre}>
        <EmptyState
          level={1}
          title={t("room.notFoundTitle")}
          actions={
            <>
              <Link href={paths.home} className={buttonClass("primary")}>
                {t("errors.notFoundHome")}
              </Link>
              <Link href={paths.browse()} className={buttonClass()}>
                {t("home.browseRooms")}
              </Link>
            </>
          }
        >
          {t("room.notFoundLead")}
        </EmptyState>
      </div>
    );
  }
  return <OpenRoom room={state.room} me={session.me} panel={panel} at={at} />;
}

function OpenRoom({
  room,
  me,
  panel: panelAsked,
  at,
}: {
  room: RoomView;
  me: Me;
  panel: PanelName | null;
  at: Seq | null;
}) {
  const { read } = useSync();
  const covered = useMediaQuery(coveredQuery);
  const moods = useMoodOffered();
  const panel = panelAsked === "mood" && !moods ? null : panelAsked;
  // Where the address alone opens the panel, the field below the messages keeps the focus.
  const [moodAskedFor, setMoodAskedFor] = useState(false);
  const timeline = useRef<TimelineHandle>(null);
  const composer = useRef<ComposerHandle>(null);
  const [leaving, setLeaving] = useState(false);

  const showPanel = (next: PanelName | null) => {
    navigate(paths.room(room.id, { panel: next }));
  };
  const toggleMood = () => {
    setMoodAskedFor(true);
    if (panel === "mood") closePanel();
    else showPanel("mood");
  };
  const closePanel = () => {
    showPanel(null);
    composer.current?.focus();
  };
  const goHome = () => {
    navigate(paths.home, { replace: true });
  };
  const focusComposer = () => composer.current?.focus();
  const markRead = () => {
    read.markRead(room.id, room.head);
    timeline.current?.toLatest();
  };

  // Opening a room is meant for writing in it; a phone's keyboard would hide half of it first.
  useEffect(() => {
    if (!window.matchMedia("(pointer: coarse)").matches) composer.current?.focus();
  }, []);

  useEffect(() => {
    rememberRoom(room.id);
  }, [room.id]);

  const onScreenShortcut = useEffectEvent((shortcut: unknown) => {
    if (shortcut === "toComposer") focusComposer();
    else if (shortcut === "toMessages") timeline.current?.focus();
    else if (shortcut === "members") showPanel(panel === "members" ? null : "members");
    else if (shortcut === "mood" && moods && (room.moodEnabled || panel === "mood")) toggleMood();
  });
  useEffect(() => {
    const listen = (event: Event) => {
      onScreenShortcut((event as CustomEvent).detail);
    };
    window.addEventListener(screenShortcut, listen);
    return () => {
      window.removeEventListener(screenShortcut, listen);
    };
  }, []);

  return (
    <div className={styles.room}>
      <div className={styles.conversation} inert={panel !== null && covered}>
        <RoomHeader
          room={room}
          backButton={<BackButton />}
          membersShown={panel === "members"}
          moodShown={panel === "mood"}
          onMood={moods && room.moodEnabled ? toggleMood : null}
          onMembers={() => {
            showPanel(panel === "members" ? null : "members");
          }}
          onSettings={() => {
            showPanel("settings");
          }}
          onMarkRead={markRead}
          onLeave={() => {
            setLeaving(true);
          }}
        />
        <Timeline
          ref={timeline}
          room={room}
          me={me}
          at={at}
          onReply={(message) => composer.current?.reply(message.id)}
          onTakeBack={(draft) => composer.current?.takeBack(draft)}
          onLeaveFocus={focusComposer}
        />
        <TypingLine roomId={room.id} />
        <Composer
          ref={composer}
          room={room}
          onSent={() => timeline.current?.toLatest()}
          onEditLast={() => timeline.current?.editLast() ?? false}
          onEscape={markRead}
        />
      </div>
      {panel !== null && (
        <div
          className={styles.panel}
          onKeyDown={(event) => {
            if (event.key === "Escape" && !event.defaultPrevented) closePanel();
          }}
        >
          <Suspense>
            {panel === "members" && (
              <MembersPanel
                room={room}
                me={me}
                onClose={closePanel}
                onMention={(username) => {
                  if (covered) showPanel(null);
                  // After the menu that was open has given its focus back.
                  requestAnimationFrame(() => composer.current?.insert(`@${username} `));
                }}
              />
            )}
            {panel === "mood" && (
              <MoodPanel
                room={room}
                autoFocus={moodAskedFor}
                onClose={closePanel}
                onShow={(seq) => {
                  if (covered) showPanel(null);
                  timeline.current?.toMessage(seq, { focus: covered });
                }}
                onSettings={() => {
                  showPanel("settings");
                }}
              />
            )}
            {panel === "settings" && (
              <RoomSettingsPanel
                room={room}
                onClose={closePanel}
                onShowMembers={() => {
                  showPanel("members");
                }}
                onLeave={() => {
                  setLeaving(true);
                }}
                onGone={goHome}
              />
            )}
          </Suspense>
        </div>
      )}
      {leaving && (
        <Suspense>
          <LeaveDialog
            room={room}
            onClose={() => {
              setLeaving(false);
            }}
            onLeft={goHome}
          />
        </Suspense>
      )}
    </div>
  );
}
