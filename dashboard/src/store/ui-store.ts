/**
 * What the user chose on this page and the server need not know.
 */
import { create } from "zustand";
import type { Choice } from "@/store/shown-session";

export type Theme = "system" | "light" | "dark";
export type CallFilter = "session" | "all";

type Ui = Choice & { theme: Theme; callFilter: CallFilter };

const THEME_KEY = "moonlock.theme";

/** `public/theme.js` reads the same key before the first paint. */
const storedTheme = (): Theme => {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "system";
};

export const useUi = create<Ui>(() => ({
  theme: storedTheme(),
  selectedSession: null,
  endedInView: null,
  callFilter: "session",
}));

export const setTheme = (theme: Theme): void => {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  try {
    if (theme === "system") localStorage.removeItem(THEME_KEY);
    else localStorage.setItem(THEME_KEY, theme);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
  useUi.setState({ theme });
};

/** Shows this session; `null` shows the one that runs. */
export const selectSession = (id: string | null): void =>
  useUi.setState({ selectedSession: id, endedInView: null, callFilter: "session" });

export const keepInView = (endedInView: string): void => useUi.setState({ endedInView });

export const filterCalls = (callFilter: CallFilter): void => useUi.setState({ callFilter });
