/**
 * What the page says of alerts and how well they did. Pure.
 */
import type { AlertView, Scope, TrackRecord } from "@/api/types.gen";
import { day, plural, span, time } from "@/shared/format";
import { midnight, momentOf, wallAt } from "@/shared/zone";

export type Severity = AlertView["severity"];

/** What an alert is about, and the session that can be opened for it. */
export const scopeText = (
  scope: Scope,
  nameOf: (session: string) => string | undefined,
): { text: string; session: string | null } => {
  switch (scope.kind) {
    case "moonlock":
      return { text: "Moonlock itself", session: null };
    case "session":
      return { text: nameOf(scope.sessionId) ?? "a session", session: scope.sessionId };
    case "conversation": {
      const session = scope.sessionId;
      const place = session === null ? "no session" : (nameOf(session) ?? "a session");
      return { text: `a conversation in ${place}`, session };
    }
    case "agent":
      return {
        text: `${scope.agent === "" ? "an agent" : `agent ${scope.agent}`} in ${nameOf(scope.sessionId) ?? "a session"}`,
        session: scope.sessionId,
      };
    case "budget":
      return { text: "a budget", session: null };
    case "provider":
      return { text: scope.provider, session: null };
    case "window":
      return { text: `${scope.provider}, ${scope.window}`, session: null };
    default:
      return { text: "", session: null };
  }
};

/** From when an alert stands, or how long one stood that is over. */
export const lasted = ({ raisedAt, clearedAt }: AlertView, now: number): string =>
  clearedAt === null
    ? `since ${day(raisedAt, now).replace("Today ", "")}`
    : `${day(raisedAt, now)}, for ${span(clearedAt - raisedAt)}`;

/** What became of one that is silent. */
export const silence = ({ status, snoozedUntil }: AlertView, now: number): string => {
  switch (status) {
    case "acknowledged":
      return "Seen";
    case "snoozed":
      return snoozedUntil === null
        ? "Snoozed"
        : `Snoozed until ${day(snoozedUntil, now).replace("Today ", "")}`;
    case "muted":
      return "Rule is muted";
    default:
      return "";
  }
};

const MINUTE = 60_000;
/** When a working day begins, for what is put off until tomorrow. */
const MORNING = 8;

/** For how long an alert can be silent. */
export const snoozes = [
  { label: "15 min", until: (now: number) => now + 15 * MINUTE },
  { label: "1 h", until: (now: number) => now + 60 * MINUTE },
  { label: "Until tomorrow", until: (now: number) => tomorrow(now) },
] as const;

/** Tomorrow at eight in the viewer's zone. */
export const tomorrow = (now: number): number => {
  const { year, month, day } = wallAt(now);
  return momentOf({ year, month, day: day + 1, hour: MORNING });
};

/** How far back the history is looked at; an empty value is all of it. */
export const ranges = [
  { value: "1d", label: "Today", days: 0 },
  { value: "7d", label: "Last 7 days", days: 6 },
  { value: "30d", label: "Last 30 days", days: 29 },
] as const;

/** When such a range began: at a midnight of the viewer's zone, so that it stays the same for a day. */
export const rangeStart = (value: string, now: number): number | null => {
  const range = ranges.find((known) => known.value === value);
  return range ? midnight(now, -range.days) : null;
};

/** Sentences on how well warnings and ranges did. */
export const trackRecordTexts = ({ bands, held, warnings, cameTrue, promisedPercent }: TrackRecord) => ({
  warnings: warnings === 0 ? null : `${cameTrue} of ${plural(warnings, "early warning")} came true.`,
  bands:
    bands === 0
      ? null
      : `${held} of ${plural(bands, "range")} held; about ${Math.round((bands * promisedPercent) / 100)} should.`,
});

/** `10:41`, or the day as well where it was another. */
export const moment = (at: number, now: number): string => {
  const text = day(at, now);
  return text.startsWith("Today") ? time(at) : text;
};
