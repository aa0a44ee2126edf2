import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/app";
import { startLiveAddress } from "@/store/live-address";
import { startLive } from "@/store/live-store";
import { startOutbox } from "@/store/outbox";
import { startRevalidation } from "@/store/query-client";
import { followOtherTabs } from "@/store/ui-store";
import "@/app/styles.css";

startLive();
startLiveAddress();
startRevalidation();
startOutbox();
followOtherTabs();

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
