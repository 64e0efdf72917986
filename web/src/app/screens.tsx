import { lazy, Suspense, type ReactNode } from "react";
import { AccountPage } from "../features/account/account-page";
import { useSession } from "../sync/hooks";
import { navigate, type Place } from "../ui/navigation";
import { paths } from "../ui/paths";
import { isHiveAddress } from "./hive-address";
import { NotFoundPage } from "./not-found-page";

const InvitePage = lazy(() => import("../features/rooms/invite-page"));

/** What an address shows to whom: pages that stand alone, or the hive. */
export interface Screen {
  /** `account` is for people who are signed out, `open` for anybody, `member` for people who are signed in. */
  audience: "account" | "open" | "member";
  /** Null in the hive, whose screens are loaded with it. */
  page: ReactNode | null;
}

/** The screen for an address. */
export function screenAt({ pathname, search }: Place): Screen {
  if (pathname === "/signin" || pathname === "/signup") {
    const mode = pathname === "/signin" ? "signin" : "signup";
    return { audience: "account", page: <AccountPage mode={mode} next={search.get("next")} /> };
  }
  const invite = /^\/invite\/([^/]+)$/.exec(pathname)?.[1];
  if (invite !== undefined) {
    return { audience: "open", page: <InviteScreen key={invite} code={decoded(invite)} /> };
  }
  if (isHiveAddress(pathname)) return { audience: "member", page: null };
  return { audience: "open", page: <NotFoundPage /> };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
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
