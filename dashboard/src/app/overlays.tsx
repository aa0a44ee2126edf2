import { Suspense, useEffect } from "react";
import { useLocation } from "wouter";
import { pages } from "@/app/pages";
import { holdsMod } from "@/shared/ui/keys";
import { later } from "@/store/code";
import { showOverlay, useUi } from "@/store/ui-store";

const Palette = later(() => import("@/app/palette").then((m) => m.Palette));
const ShortcutsDialog = later(() => import("@/app/shortcuts-dialog").then((m) => m.ShortcutsDialog));

/** What lies over the page, and the keys that work everywhere. */
export const Overlays = () => {
  const overlay = useUi((ui) => ui.overlay);
  useGlobalKeys();
  return (
    <Suspense>
      {overlay === "palette" && <Palette />}
      {overlay === "shortcuts" && <ShortcutsDialog />}
    </Suspense>
  );
};

/** Where a key is text. */
const TAKES_TEXT = "input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]";
/** How long `g` waits for its second key. */
const SECOND_KEY_MS = 1_500;

const useGlobalKeys = (): void => {
  const [, navigate] = useLocation();
  useEffect(() => {
    let goingSince = -Infinity;
    const press = (event: KeyboardEvent): void => {
      if (event.key === "k" && holdsMod(event)) {
        event.preventDefault();
        showOverlay(useUi.getState().overlay === "palette" ? null : "palette");
        return;
      }
      const isText = event.target instanceof Element && event.target.closest(TAKES_TEXT);
      const isChord = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
      if (isText || isChord || !useUi.getState().singleKeys || document.querySelector("dialog[open]")) return;
      const goes = performance.now() - goingSince < SECOND_KEY_MS;
      goingSince = event.key === "g" && !goes ? performance.now() : -Infinity;
      const page = goes && pages.find(({ key }) => key === event.key);
      if (page) navigate(page.path);
      else if (event.key === "?") showOverlay("shortcuts");
      else if (event.key === "/") focusOn("[data-search]", event);
      else if (event.key === "c") focusOn("[name=phase]", event);
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [navigate]);
};

const focusOn = (selector: string, event: KeyboardEvent): void => {
  const field = document.querySelector<HTMLElement>(selector);
  if (!field) return;
  event.preventDefault();
  field.focus();
};
