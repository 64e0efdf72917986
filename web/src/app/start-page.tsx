import { HomePage } from "../features/rooms/home-page";
import { useRooms } from "../sync/hooks";
import { Redirect } from "../ui/navigation";
import { paths } from "../ui/paths";
import { useFrame } from "./frame-actions";
import { roomToOpen } from "./last-room";
import { usePageTitle } from "./use-page-title";

/** The address without a room: opens the one that was open last, and helps who has none. */
export function StartPage() {
  const { openNewRoom, browse } = useFrame();
  const { status, rooms } = useRooms();
  usePageTitle(null);
  const roomId = roomToOpen(rooms);
  if (roomId !== null) return <Redirect href={paths.room(roomId)} />;
  if (status === "loading") return null;
  return (
    <HomePage
      onNewRoom={openNewRoom}
      onBrowse={() => {
        browse("");
      }}
    />
  );
}
