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

const themeOf = (text: string | null | undefined): Theme =>
  text === "light" || text === "dark" ? text : "system";

/** `public/theme.js` reads the same key before the first paint. */
const shownTheme = (): Theme => themeOf(document.documentElement.dataset["theme"]);

const showTheme = (theme: Theme): void => {
  const root = document.documentElement;
  if (theme === "system") delete root.dataset["theme"];
  else root.dataset["theme"] = theme;
};

const storedSingleKeys = (): boolean => stored(KEYS_KEY) !== "off";

/** A browser may know fewer zones than the one that kept it. */
const storedZone = (): string | null => {
  const name = stored(ZONE_KEY);
  const known = name !== null && isZone(name) ? name : null;
  chooseZone(known);
  return known;
};

export const useUi = create<Ui>(() => ({
  theme: shownTheme(),
  timeZone: storedZone(),
  selectedSession: null,
  endedInView: null,
  callFilter: "session",
  overlay: null,
  singleKeys: storedSingleKeys(),
}));

export const setTheme = (theme: Theme): void => {
  showTheme(theme);
  store(THEME_KEY, theme === "system" ? null : theme);
  useUi.setState({ theme });
};

export const setTimeZone = (timeZone: string | null): void => {
  store(ZONE_KEY, timeZone);
  chooseZone(timeZone);
  useUi.setState({ timeZone });
};

/** For what is drawn anew only when its own data change, though it writes times: draws it where the zone changes too. */
export const useZoneChanges = (): string | null => useUi((ui) => ui.timeZone);

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

/** Takes over what is chosen in the browser's other tabs, until the returned function is called. */
export const followOtherTabs = (): (() => void) => {
  const follow = ({ key }: StorageEvent): void => {
    // No key: all that was kept is gone.
    const isMeant = key === null || [THEME_KEY, ZONE_KEY, KEYS_KEY].includes(key);
    if (!isMeant) return;
    const theme = themeOf(stored(THEME_KEY));
    showTheme(theme);
    useUi.setState({ theme, timeZone: storedZone(), singleKeys: storedSingleKeys() });
  };
  window.addEventListener("storage", follow);
  return () => window.removeEventListener("storage", follow);
};
