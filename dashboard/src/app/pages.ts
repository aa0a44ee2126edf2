/**
 * The pages, one line each: address, name, icon, the key after `g` that goes there, and what is loaded then.
 */
import type { ComponentType, LazyExoticComponent } from "react";
import {
  AnalyticsIcon,
  BellIcon,
  CallsIcon,
  CompareIcon,
  ConnectIcon,
  LimitsIcon,
  LiveIcon,
  SessionsIcon,
  SettingsIcon,
} from "@/shared/ui/icons";
import { later } from "@/store/code";

type Icon = ComponentType<{ className?: string }>;
type Load = () => Promise<ComponentType>;

/** What an address shows. `load` fetches its code; to call it early does no harm. */
export type Route = { path: string; Content: LazyExoticComponent<ComponentType>; load: Load };

/** A route of the navigation. */
export type Page = Route & { label: string; Icon: Icon; key: string };

const route = (path: string, load: Load): Route => ({
  path,
  Content: later(load),
  load,
});

const page = (path: string, label: string, Icon: Icon, key: string, load: Load): Page => ({
  ...route(path, load),
  label,
  Icon,
  key,
});

/** In the navigation's order. */
export const pages: Page[] = [
  page("/", "Live", LiveIcon, "l", () => import("@/features/live/live-page").then((m) => m.LivePage)),
  page("/sessions", "Sessions", SessionsIcon, "s", () =>
    import("@/features/sessions/sessions-page").then((m) => m.SessionsPage),
  ),
  page("/compare", "Compare", CompareIcon, "p", () =>
    import("@/features/compare/compare-page").then((m) => m.ComparePage),
  ),
  page("/analytics", "Analytics", AnalyticsIcon, "n", () =>
    import("@/features/analytics/analytics-page").then((m) => m.AnalyticsPage),
  ),
  page("/calls", "Calls", CallsIcon, "c", () =>
    import("@/features/calls/calls-page").then((m) => m.CallsPage),
  ),
  page("/alerts", "Alerts", BellIcon, "a", () =>
    import("@/features/alerts/alerts-page").then((m) => m.AlertsPage),
  ),
  page("/limits", "Limits", LimitsIcon, "i", () =>
    import("@/features/limits/limits-page").then((m) => m.LimitsPage),
  ),
  page("/connect", "Connect", ConnectIcon, "o", () =>
    import("@/features/connect/connect-page").then((m) => m.ConnectPage),
  ),
  page("/settings", "Settings", SettingsIcon, "t", () =>
    import("@/features/settings/settings-page").then((m) => m.SettingsPage),
  ),
];

/** What is reached from a page only. */
const details: Route[] = [
  route("/sessions/:id", () => import("@/features/report/report-page").then((m) => m.ReportPage)),
];

export const routes: Route[] = [...pages, ...details];

/** Whether `location` is the page's own address, or one below it. */
export const isAt = ({ path }: Route, location: string): boolean =>
  location === path || (path !== "/" && location.startsWith(`${path}/`));
