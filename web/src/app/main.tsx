import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "../ui/tokens.css";
import "../ui/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startI18n } from "../i18n/i18n";
import { createSync } from "../sync/create-sync";
import { App } from "./app";
import { isHiveAddress } from "./hive-address";
import { loadHive } from "./load-hive";

// Side by side: the engine asks who is there, the words and the screens come. A screen that fails to come is asked for
// again by whoever draws it.
const sync = createSync();
sync.start();
if (isHiveAddress(window.location.pathname)) loadHive().catch(() => undefined);
await startI18n();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App sync={sync} />
  </StrictMode>,
);

// Which of its hundred files holds which letters takes as much to say as all other styles together.
void import("../ui/korean-font");
