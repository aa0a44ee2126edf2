/** Which alerts are shown, in which order and in which words. */
import type { AlertView, Severity } from "@/api/types.gen";

export const severityWord: Record<Severity, string> = {
  info: "Info",
  warning: "Warning",
  critical: "Critical",
};

const rank: Record<Severity, number> = { critical: 0, warning: 1, info: 2 };

/** Those that were not seen, snoozed or muted: what matters most first, then the newest. */
export const asking = (alerts: AlertView[]): AlertView[] =>
  alerts
    .filter(({ status }) => status === "active")
    .sort((a, b) => rank[a.severity] - rank[b.severity] || b.raisedAt - a.raisedAt);

/** Until when an alert is silent that is snoozed now. */
export const snoozedUntil = (now: number): number => Math.round(now) + 60 * 60_000;
