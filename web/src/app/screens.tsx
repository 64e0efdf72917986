import { lazy, Suspense, type ReactNode } from "react";
import { AccountPage } from "../features/account/account-page";
import type { RoomId, Seq } from "../protocol/ids";
import { useSession } from "../sync/hooks";
import { navigate, type Place } from "../ui/navigation";
import { paths, type PanelName } from "../ui/paths";
import { BackButton } from "./back-button";
import { useFrame } from "./frame-actions";
import { NotFoundPage } from "./not-found-page";
import { RoomPage } from "./room-page";
import { StartPage } from "./start-page";

const BrowsePage = lazy(() => import("../features/rooms/browse-page"));
const InvitePage = lazy(() => import("../features/rooms/invite-page"));
const SettingsPage = lazy(() => import("../features/settings/settings-page"));

/** What an address shows, and whether it stands in the frame with the sidebar or alone. */
export interface Screen {
  /** `account` is for people who are signed out, `open` for anybody, `member` for people who are signed in. */
  audience: "account" | "open" | "member";
  framed: boolean;
  roomId: RoomId | null;
  content: ReactNode;
}

/** The screen for an address. */
export function screenAt({ pathname, search }: Place): Screen {
  const alone = { framed: false, roomId: null };
  const framed = { audience: "member", framed: true, roomId: null } as const;
  if (pathname === "/signin" || pathname === "/signup") {
    const mode = pathname === "/signin" ? "signin" : "signup";
    return { ...alone, audience: "account", content: <AccountPage mode={mode} next={search.get("next")} /> };
  }
  const invite = /^\/invite\/([^/]+)$/.exec(pathname)?.[1];
  if (invite !== undefined) {
    return { ...alone, audience: "open", content: <InviteScreen key={invite} code={decoded(invite)} /> };
  }
  const roomId = /^\/rooms\/([^/]+)$/.exec(pathname)?.[1] as RoomId | undefined;
  if (roomId !== undefined) {
    const content = (
      <RoomPage
        key={roomId}
        roomId={roomId}
        panel={panelOf(search.get("panel"))}
        at={seqOf(search.get("at"))}
      />
    );
    return { ...framed, roomId, content };
  }
  switch (pathname) {
    case "/":
      return { ...framed, content: <StartPage /> };
    case "/browse":
      return { ...framed, content: <BrowseScreen query={search.get("q") ?? ""} /> };
    case "/settings":
      return { ...framed, content: <SettingsScreen /> };
    default:
      return { ...alone, audience: "open", content: <NotFoundPage /> };
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function panelOf(word: string | null): PanelName | null {
  return word === "members" || word === "settings" ? word : null;
}

function seqOf(word: string | null): Seq | null {
  const seq = Number(word);
  return Number.isSafeInteger(seq) && seq > 0 ? (seq as Seq) : null;
}

function InviteScreen({ code }: { code: string }) {
  const session = useSession();
  return (
    <Suspense>
      <InvitePage
        code={code}
        signedIn={session.status === "signed-in"}
        onJoined={(roomId) => {
          navigate(paths.room(roomId), { replace: true });
        }}
      />
    </Suspense>
  );
}

function BrowseScreen({ query }: { query: string }) {
  const { openRoom, openNewRoom } = useFrame();
  return (
    <Suspense>
      <BrowsePage
        key={query}
        initialQuery={query}
        backButton={<BackButton />}
        onOpen={openRoom}
        onNewRoom={openNewRoom}
      />
    </Suspense>
  );
}

function SettingsScreen() {
  const session = useSession();
  const { showShortcuts } = useFrame();
  if (session.status !== "signed-in") return null;
  return (
    <Suspense>
      <SettingsPage me={session.me} backButton={<BackButton />} onShowShortcuts={showShortcuts} />
    </Suspense>
  );
}
