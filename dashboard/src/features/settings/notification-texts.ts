/**
 * How a target of notifications is told. Pure.
 */
import type { NotificationTarget, Severity, TargetKind } from "@/api/types.gen";
import { ruleName } from "@/shared/alerts";
import { day, plural } from "@/shared/format";

const kinds: Record<TargetKind, string> = {
  webhook: "Webhook",
  slack: "Slack",
  discord: "Discord",
  desktop: "This desktop",
};

const from: Record<Severity, string> = {
  info: "every alert",
  warning: "warnings and worse",
  critical: "critical alerts only",
};

export const told = (
  { kind, place, signed, severity, rules, lastDeliveryAt, delivered, givenUp, waiting }: NotificationTarget,
  now: number,
): { about: string; history: string } => ({
  about: [
    kinds[kind] ?? kind,
    place,
    signed && "signed",
    from[severity],
    rules.length > 0 && `only of ${rules.map(ruleName).join(", ")}`,
  ]
    .filter(Boolean)
    .join(" · "),
  history: [
    lastDeliveryAt === null
      ? "nothing arrived since the start"
      : `${plural(delivered, "notification")} arrived, the last one ${day(lastDeliveryAt, now)}`,
    givenUp > 0 && `${givenUp} given up`,
    waiting > 0 && `${waiting} waiting`,
  ]
    .filter(Boolean)
    .join(" · "),
});

/** Why the last attempt failed, if it did. */
export const failureOf = ({ lastError, lastErrorAt }: NotificationTarget, now: number): string | null =>
  lastError === null ? null : `${lastError}${lastErrorAt === null ? "" : ` (${day(lastErrorAt, now)})`}`;
