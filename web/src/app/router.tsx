import {
  createRootRoute,
  createRoute,
  createRouter,
  useNavigate,
  type RouterHistory,
} from "@tanstack/react-router";
import { lazy, Suspense } from "react";
import { AccountPage } from "../features/account/account-page";
import type { RoomId, Seq } from "../protocol/ids";
import { useSession } from "../sync/hooks";
import { BackButton } from "./back-button";
import { Frame, useFrame } from "./frame";
import { NotFoundPage } from "./not-found-page";
import { RoomPage } from "./room-page";
import { Root } from "./root";
import { StartPage } from "./start-page";

const BrowsePage = lazy(() => import("../features/rooms/browse-page"));
const InvitePage = lazy(() => import("../features/rooms/invite-page"));
const SettingsPage = lazy(() => import("../features/settings/settings-page"));

/** Which panel stands beside the conversation. It is part of the address, so that "back" closes it. */
export type PanelName = "members" | "settings";

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

const rootRoute = createRootRoute({ component: Root, notFoundComponent: NotFoundPage });

const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/signin",
  validateSearch: (search): { next?: string | undefined } => ({ next: textOf(search.next) }),
  component: function SignIn() {
    return <AccountPage mode="signin" next={signInRoute.useSearch().next} />;
  },
});

const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/signup",
  validateSearch: (search): { next?: string | undefined } => ({ next: textOf(search.next) }),
  component: function SignUp() {
    return <AccountPage mode="signup" next={signUpRoute.useSearch().next} />;
  },
});

const inviteRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: "/invite/$code",
  component: function Invite() {
    const { code } = inviteRoute.useParams();
    const session = useSession();
    const navigate = useNavigate();
    return (
      <Suspense>
        <InvitePage
          key={code}
          code={code}
          signedIn={session.status === "signed-in"}
          onJoined={(roomId) => void navigate({ to: "/rooms/$roomId", params: { roomId }, replace: true })}
        />
      </Suspense>
    );
  },
});

const frameRoute = createRoute({ getParentRoute: () => rootRoute, id: "frame", component: Frame });

const homeRoute = createRoute({ getParentRoute: () => frameRoute, path: "/", component: StartPage });

const roomRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/rooms/$roomId",
  validateSearch: (search): { panel?: PanelName | undefined; at?: number | undefined } => ({
    panel: search.panel === "members" || search.panel === "settings" ? search.panel : undefined,
    at:
      typeof search.at === "number" && Number.isSafeInteger(search.at) && search.at > 0
        ? search.at
        : undefined,
  }),
  component: function Room() {
    const { roomId } = roomRoute.useParams();
    const { panel, at } = roomRoute.useSearch();
    return (
      <RoomPage
        key={roomId}
        roomId={roomId as RoomId}
        panel={panel ?? null}
        at={at === undefined ? null : (at as Seq)}
      />
    );
  },
});

const browseRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/browse",
  validateSearch: (search): { q?: string | undefined } => ({ q: textOf(search.q) }),
  component: function Browse() {
    const { q } = browseRoute.useSearch();
    const { openRoom, openNewRoom } = useFrame();
    return (
      <Suspense>
        <BrowsePage
          key={q ?? ""}
          initialQuery={q ?? ""}
          backButton={<BackButton />}
          onOpen={openRoom}
          onNewRoom={openNewRoom}
        />
      </Suspense>
    );
  },
});

const settingsRoute = createRoute({
  getParentRoute: () => frameRoute,
  path: "/settings",
  component: function Settings() {
    const session = useSession();
    const { showShortcuts } = useFrame();
    if (session.status !== "signed-in") return null;
    return (
      <Suspense>
        <SettingsPage me={session.me} backButton={<BackButton />} onShowShortcuts={showShortcuts} />
      </Suspense>
    );
  },
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  signUpRoute,
  inviteRoute,
  frameRoute.addChildren([homeRoute, roomRoute, browseRoute, settingsRoute]),
]);

/** The addresses of the client; tests hand in a history of their own. */
export function createAppRouter(history?: RouterHistory) {
  return createRouter({
    routeTree,
    ...(history ? { history } : {}),
    // The timeline keeps its own place; the page itself never scrolls.
    scrollRestoration: false,
    defaultNotFoundComponent: NotFoundPage,
  });
}

/** What {@link createAppRouter} makes. */
export type AppRouter = ReturnType<typeof createAppRouter>;

declare module "@tanstack/react-router" {
  interface Register {
    router: AppRouter;
  }
}
