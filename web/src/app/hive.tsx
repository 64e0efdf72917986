import { lazy, Suspense, type ReactNode } from "react";
import type { Seq } from "../protocol/ids";
import type { Me } from "../protocol/model";
import type { Place } from "../ui/navigation";
import type { PanelName } from "../ui/paths";
import { BackButton } from "./back-button";
import { Frame } from "./frame";
import { useFrame } from "./frame-actions";
import { roomOf } from "./hive-address";
import { RoomPage } from "./room-page";
import { StartPage } from "./start-page";

const BrowsePage = lazy(() => import("../features/rooms/browse-page"));
const SettingsPage = lazy(() => import("../features/settings/settings-page"));

/** The app for people who are signed in: the frame with the sidebar, and the screen that the address names. */
export default function Hive({ me, place }: { me: Me; place: Place }) {
  return (
    <Frame me={me} atHome={place.pathname === "/"} roomId={roomOf(place.pathname)}>
      {contentAt(place, me)}
    </Frame>
  );
}

function contentAt({ pathname, search }: Place, me: Me): ReactNode {
  const roomId = roomOf(pathname);
  if (roomId !== null) {
    return (
      <RoomPage
        key={roomId}
        roomId={roomId}
        panel={panelOf(search.get("panel"))}
        at={seqOf(search.get("at"))}
      />
    );
  }
  if (pathname === "/browse") return <BrowseScreen query={search.get("q") ?? ""} />;
  if (pathname === "/settings") return <SettingsScreen me={me} />;
  return <StartPage />;
}

function panelOf(word: string | null): PanelName | null {
  return word === "members" || word === "mood" || word === "settings" ? word : null;
}

function seqOf(word: string | null): Seq | null {
  const seq = Number(word);
  return Number.isSafeInteger(seq) && seq > 0 ? (seq as Seq) : null;
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

function SettingsScreen({ me }: { me: Me }) {
  const { showShortcuts } = useFrame();
  return (
    <Suspense>
      <SettingsPage me={me} backButton={<BackButton />} onShowShortcuts={showShortcuts} />
    </Suspense>
  );
}
