/**
 * How fast a session used tokens, in bars over its own time. Pure.
 */
import type { CurvePoint } from "@/api/types.gen";
import type { ChartModel, ChartText } from "@/shared/chart/model";
import { compact, rough, span } from "@/shared/format";

const MINUTE = 60_000;
const WIDTHS = [1, 2, 5, 10, 15, 30, 60].map((minutes) => minutes * MINUTE);
const MOST_BARS = 60;

type Use = { total: number; fresh: number };

/** What was used until `at`, between the curve's points along the line that joins them. */
const usedAt = (points: readonly CurvePoint[], at: number): Use => {
  const after = points.findIndex(({ atMs }) => atMs >= at);
  const next = points[after];
  if (!next) return points.at(-1) ?? { total: 0, fresh: 0 };
  const before = points[after - 1];
  if (!before || next.atMs === at) return next;
  const share = (at - before.atMs) / (next.atMs - before.atMs);
  const between = (from: number, to: number): number => from + (to - from) * share;
  return { total: between(before.total, next.total), fresh: between(before.fresh, next.fresh) };
};

/** Tokens a minute, from the cache and not, for stretches of equal width; the last one may be shorter. */
export const rates = (
  points: readonly CurvePoint[],
): { width: number; bars: { from: number; cached: number; fresh: number }[] } => {
  const end = points.at(-1)?.atMs ?? 0;
  const width = WIDTHS.find((wide) => end / wide <= MOST_BARS) ?? 2 * 60 * MINUTE;
  const bars = Array.from({ length: Math.ceil(end / width) }, (_, index) => {
    const from = index * width;
    const to = Math.min(end, from + width);
    const before = usedAt(points, from);
    const after = usedAt(points, to);
    // A stretch of seconds would shout; it counts as the whole minute that it will be.
    const minutes = Math.max(MINUTE, to - from) / MINUTE;
    const fresh = (after.fresh - before.fresh) / minutes;
    return { from, fresh, cached: (after.total - before.total) / minutes - fresh };
  });
  return { width, bars };
};

/** What an axis ends at that has less to show. */
const FEWEST = 5;

export const rateChart = (points: readonly CurvePoint[]): { model: ChartModel; text: ChartText } => {
  const { width, bars } = rates(points);
  const perMinute = (value: number): string => `${compact(Math.round(value))}/min`;
  const most = bars.reduce((high, { cached, fresh }) => Math.max(high, cached + fresh), 0);
  const idle = bars.filter(({ cached, fresh }) => cached + fresh === 0).length;
  return {
    model: {
      x: { labels: bars.map(({ from }) => span(from)), write: String },
      // Ticks are whole tokens, also where nothing was used.
      y: { min: 0, ...(most < FEWEST && { max: FEWEST }), write: (value) => compact(value) },
      series: [
        {
          kind: "bar",
          label: "Not from cache",
          colour: "input",
          points: bars.map(({ fresh }, x) => ({ x, y: fresh })),
        },
        {
          kind: "bar",
          label: "From cache",
          colour: "cache-read",
          points: bars.map(({ cached }, x) => ({ x, y: cached })),
        },
      ],
    },
    text: {
      summary: [
        `Each bar is ${span(width)}. `,
        most === 0 ? "Nothing was used" : `The busiest had ${perMinute(rough(most, "near"))}`,
        most === 0 || idle === 0 ? "" : `; in ${span(idle * width)} nothing was used`,
        ".",
      ].join(""),
      columns: ["From", "Not from cache", "From cache"],
      rows: bars.map(({ from, fresh, cached }) => [span(from), perMinute(fresh), perMinute(cached)]),
    },
  };
};
