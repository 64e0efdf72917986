import "@fontsource-variable/inter/wght.css";
import "@fontsource-variable/jetbrains-mono/wght.css";
import "pretendard/dist/web/variable/pretendardvariable-dynamic-subset.css";
import "../ui/tokens.css";
import "../ui/base.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { startI18n } from "../i18n/i18n";
import { createSync } from "../sync/create-sync";
import { App } from "./app";

const sync = createSync();
sync.start();
await startI18n();
createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <App sync={sync} />
  </StrictMode>,
);
