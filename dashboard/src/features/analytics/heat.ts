/**
 * What was used when, as a grid of squares. Pure.
 */
import type { UsageGroup } from "@/api/types.gen";
import { dayText, stepStart } from "@/features/analytics/range";
import { compact, date, month, UNKNOWN } from "@/shared/format";
import { midnight, wallAt } from "@/shared/zone";

export type Level = 0 | 1 | 2 | 3 | 4;
export type Cell = { x: number; y: number; level: Level; title: string };
export type Heat = {
  columns: number;
  rows: number;
  cells: Cell[];
  /** At these columns. */
  top: { x: number; label: string }[];
  /** At these rows. */
  side: { y: number; label: string }[];
  summary: string;
  table: { columns: string[]; rows: string[][] };
};

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const WEEKS = 53;

/** By the root of the share of the most: one very busy day does not make the others look idle. */
export const levelOf = (value: number, most: number): Level => {
  if (value <= 0 || most <= 0) return 0;
  return Math.min(4, Math.max(1, Math.ceil(Math.sqrt(value / most) * 4))) as Level;
};

/** From when on the year's days are asked for: a Monday. */
export const yearStart = (now: number): number => midnight(stepStart(now, "week"), -(WEEKS - 1) * 7);

/** The last 53 weeks, a column each. */
export const yearHeat = (groups: readonly UsageGroup[], now: number): Heat => {
  const used = new Map(groups.map(({ day, total }) => [day ?? "", total]));
  const first = yearStart(now);
  const days = Array.from({ length: WEEKS * 7 }, (_, index) => midnight(first, index)).filter(
    (at) => at <= now,
  );
  const tokens = days.map((at) => used.get(dayText(at)) ?? 0);
  const most = Math.max(0, ...tokens);
  const busy = tokens.filter((value) => value > 0).length;
  const byMonth = new Map<string, { tokens: number; days: number }>();
  days.forEach((at, index) => {
    const value = tokens[index] ?? 0;
    const known = byMonth.get(month(at)) ?? { tokens: 0, days: 0 };
    byMonth.set(month(at), { tokens: known.tokens + value, days: known.days + (value > 0 ? 1 : 0) });
  });
  return {
    columns: WEEKS,
    rows: 7,
    cells: days.map((at, index) => ({
      x: Math.floor(index / 7),
      y: index % 7,
      level: levelOf(tokens[index] ?? 0, most),
      title: `${WEEKDAYS[index % 7]}, ${date(at)}: ${compact(tokens[index] ?? 0)} tokens`,
    })),
    top: monthsAt(days),
    side: [0, 2, 4].map((y) => ({ y, label: (WEEKDAYS[y] ?? "").slice(0, 3) })),
    summary:
      most === 0
        ? "Nothing was used in the last year."
        : `${busy} of the last ${days.length} days had calls. The busiest was ${date(days[tokens.indexOf(most)] ?? now)}, with ${compact(most)} tokens.`,
    table: {
      columns: ["Month", "Tokens", "Days with calls"],
      rows: [...byMonth].map(([name, { tokens: sum, days: number }]) => [name, compact(sum), String(number)]),
    },
  };
};

/** The columns in which a month begins; none so close to the next that both could not be read. */
const monthsAt = (days: readonly number[]): Heat["top"] => {
  const found: Heat["top"] = [];
  days.forEach((at, index) => {
    const { day } = wallAt(at);
    const x = Math.floor(index / 7);
    if (day === 1 && x < WEEKS - 2) found.push({ x, label: month(at).slice(0, 3) });
  });
  return found;
};

/** A week's days by the hours of the day. */
export const weekHeat = (groups: readonly UsageGroup[]): Heat => {
  const used = new Map(groups.map(({ weekday, hourOfDay, total }) => [`${weekday} ${hourOfDay}`, total]));
  const at = (y: number, x: number): number => used.get(`${y + 1} ${x}`) ?? 0;
  const hours = Array.from({ length: 24 }, (_, hour) => hour);
  const cells = WEEKDAYS.flatMap((_, y) => hours.map((x) => ({ x, y, tokens: at(y, x) })));
  const busiest = cells.reduce((most, cell) => (cell.tokens > most.tokens ? cell : most), {
    x: 0,
    y: 0,
    tokens: 0,
  });
  return {
    columns: 24,
    rows: 7,
    cells: cells.map(({ x, y, tokens }) => ({
      x,
      y,
      level: levelOf(tokens, busiest.tokens),
      title: `${WEEKDAYS[y]}, ${hourText(x)}: ${compact(tokens)} tokens`,
    })),
    top: [0, 6, 12, 18].map((x) => ({ x, label: hourText(x) })),
    side: [0, 2, 4, 6].map((y) => ({ y, label: (WEEKDAYS[y] ?? "").slice(0, 3) })),
    summary:
      busiest.tokens === 0
        ? "Nothing was used in this time."
        : `The busiest is ${WEEKDAYS[busiest.y]} from ${hourText(busiest.x)} on.`,
    table: {
      columns: ["Day", "Tokens", "Busiest hour"],
      rows: WEEKDAYS.map((name, y) => {
        const tokens = hours.map((x) => at(y, x));
        const sum = tokens.reduce((all, value) => all + value, 0);
        const most = Math.max(...tokens);
        return [name, compact(sum), most === 0 ? UNKNOWN : hourText(tokens.indexOf(most))];
      }),
    },
  };
};

const hourText = (hour: number): string => `${String(hour).padStart(2, "0")}:00`;
