/**
 * What the user chose on this page and the server need not know.
 */
import { create } from "zustand";
import { chooseZone, isZone } from "@/shared/zone";
import type { Choice } from "@/store/shown-session";

export type Theme = "system" | "light" | "dark";
export type CallFilter = "session" | "all";

/** What lies over the page. */
export type Overlay = "palette" | "shortcuts";

type Ui = Choice & {
  theme: Theme;
  /** The zone that times are written in and days are cut in; `null` is the browser's own. */
  timeZone: string | null;
  callFilter: CallFilter;
  overlay: Overlay | null;
  /** Whether single keys do something: who dictates or presses keys by chance can turn them off. */
  singleKeys: boolean;
};

const THEME_KEY = "moonlock.theme";
const ZONE_KEY = "moonlock.timeZone";
const KEYS_KEY = "moonlock.singleKeys";
const WELCOMED_KEY = "moonlock.welcomed";

/** Storage may be blocked: a choice then lasts as long as the page. */
const stored = (key: string): string | null => {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
};

const store = (key: string, value: string | null): void => {
  try {
    if (value === null) localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // As above.
  }
};

/** `public/theme.js` reads the same key before the first paint. */
const storedTheme = (): Theme => {
  const theme = document.documentElement.dataset["theme"];
  return theme === "light" || theme === "dark" ? theme : "system";
};

/** A browser may know fewer zones than the one that kept it. */
const storedZone = (): string | null => {
  const name = stored(ZONE_KEY);
  const known = name !== null && isZone(name) ? name : null;
  chooseZone(known);
  return known;
};

export const useUi = create<Ui>(() => ({
  theme: storedTheme(),
  timeZone: storedZone(),
  selectedSession: null,
  endedInView: null,
  callFilter: "session",
  overlay: null,
  singleKeys: stored(KEYS_KEY) !== "off",
}));

export const setTheme = (theme: Theme): void => {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
  store(THEME_KEY, theme === "system" ? null : theme);
  useUi.setState({ theme });
};

export const setTimeZone = (timeZone: string | null): void => {
  store(ZONE_KEY, timeZone);
  chooseZone(timeZone);
  useUi.setState({ timeZone });
};

/** Shows this session; `null` shows the one that runs. */
export const selectSession = (id: string | null): void =>
  useUi.setState({ selectedSession: id, endedInView: null, callFilter: "session" });

export const keepInView = (endedInView: string): void => useUi.setState({ endedInView });

export const filterCalls = (callFilter: CallFilter): void => useUi.setState({ callFilter });

export const showOverlay = (overlay: Overlay | null): void => useUi.setState({ overlay });

export const setSingleKeys = (singleKeys: boolean): void => {
  store(KEYS_KEY, singleKeys ? null : "off");
  useUi.setState({ singleKeys });
};

/** Whether this browser was shown once how tools are connected. */
export const isWelcomed = (): boolean => stored(WELCOMED_KEY) !== null;

export const welcome = (): void => store(WELCOMED_KEY, "yes");
