/** Which alerts are shown, in which order and in which words. */
import type { AlertView, Rule, Severity } from "@/api/types.gen";

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

/** What a rule is called in a list. */
export const ruleWord: Record<Rule, string> = {
  "budget.tokens": "Token budget",
  "budget.cost": "Cost budget",
  "budget.unpriced": "Unpriced calls",
  "overrun.tokens": "Token forecast",
  "overrun.cost": "Cost forecast",
  "calls.burst": "Burst of calls",
  "calls.size": "Large call",
  "calls.loop": "Calls in a loop",
  "session.idle": "Idle session",
  "provider.window": "Provider’s limit",
  "provider.errors": "Provider fails",
  "provider.overload": "Provider overloaded",
  "store.slow": "Slow disk",
  "store.failing": "Failing disk",
  "store.queue": "Waiting writes",
  "store.repaired": "Repaired database",
  "backup.failing": "Failing backup",
  "meter.blind": "Unreadable replies",
};

/** A newer server may have rules that this page does not know. */
export const ruleName = (rule: Rule): string => ruleWord[rule] ?? rule;

/** Those that stand: what asks to be looked at, then what was seen or is silent. */
export const standing = (alerts: AlertView[]): AlertView[] => [
  ...asking(alerts),
  ...alerts
    .filter(({ status }) => status !== "active")
    .sort((a, b) => rank[a.severity] - rank[b.severity] || b.raisedAt - a.raisedAt),
];
