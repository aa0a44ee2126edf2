/**
 * Which stretch of time is looked at, and in which steps. Pure: the moment is an argument, the zone is the viewer's.
 */
import { midnight, momentOf, wallAt } from "@/shared/zone";

/** The steps that bars stand for. */
export type Step = "hour" | "day" | "week" | "month";

/** `null` is open: from the beginning, until now. UTC epoch milliseconds. */
export type Range = { from: number | null; to: number | null };

export const ranges = [
  { value: "today", label: "Today", days: 1 },
  { value: "7d", label: "7 days", days: 7 },
  { value: "30d", label: "30 days", days: 30 },
  { value: "year", label: "Year", days: 365 },
  { value: "all", label: "All", days: null },
  { value: "custom", label: "From–to", days: null },
] as const;

export type RangeName = (typeof ranges)[number]["value"];

/** What the page shows when nothing is said. */
export const USUAL: RangeName = "7d";

export const rangeName = (text: string): RangeName =>
  ranges.find(({ value }) => value === text)?.value ?? USUAL;

/** The midnight that `2026-11-22` begins with; `null` for what is no day. */
export const dayStart = (text: string): number | null => {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)?.slice(1).map(Number);
  if (!parts) return null;
  const [year = 0, month = 0, day = 0] = parts;
  const at = momentOf({ year, month, day });
  return wallAt(at).day === day ? at : null;
};

/** The day of `at` as `2026-11-22`. */
export const dayText = (at: number): string => {
  const { year, month, day } = wallAt(at);
  const two = (value: number): string => String(value).padStart(2, "0");
  return `${year}-${two(month)}-${two(day)}`;
};

/** `from` and `to` are days; the last one is looked at whole. */
export const rangeOf = (name: RangeName, days: { from: string; to: string }, now: number): Range => {
  if (name === "custom") {
    const to = dayStart(days.to);
    return { from: dayStart(days.from), to: to === null ? null : midnight(to, 1) };
  }
  const back = ranges.find(({ value }) => value === name)?.days ?? null;
  return { from: back === null ? null : midnight(now, 1 - back), to: null };
};

const DAY = 24 * 60 * 60_000;

/** Steps of which no more than about fifty fit. */
export const stepOf = (from: number, to: number): Step => {
  const days = (to - from) / DAY;
  if (days <= 2.1) return "hour";
  if (days <= 45) return "day";
  return days <= 366 ? "week" : "month";
};

/** When the step began that `at` lies in. A week begins on Monday. */
export const stepStart = (at: number, step: Step): number => {
  const { year, month, day, minute, second } = wallAt(at);
  switch (step) {
    case "hour":
      return at - (minute * 60 + second) * 1_000 - (at % 1_000);
    case "day":
      return midnight(at);
    case "week":
      return midnight(at, -((new Date(Date.UTC(year, month - 1, day)).getUTCDay() + 6) % 7));
    case "month":
      return momentOf({ year, month, day: 1 });
  }
};

const nextStep = (at: number, step: Step): number => {
  const { year, month } = wallAt(at);
  switch (step) {
    case "hour":
      return at + 60 * 60_000;
    case "day":
      return midnight(at, 1);
    case "week":
      return midnight(at, 7);
    case "month":
      return momentOf({ year, month: month + 1, day: 1 });
  }
};

/** More are no chart any more. */
const MOST = 400;

/** The beginnings of all steps from `from` to `to`. */
export const steps = (from: number, to: number, step: Step): number[] => {
  const found: number[] = [];
  for (let at = stepStart(from, step); at < to && found.length < MOST; at = nextStep(at, step))
    found.push(at);
  return found;
};
