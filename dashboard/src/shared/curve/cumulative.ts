/**
 * How a session's use grew, made ready to be drawn: over its own time, in which there are no pauses. Pure.
 */
import type { CurvePoint, ForecastView, OutlookView, PastBand } from "@/api/types.gen";
import {
  type ChartModel,
  type ChartText,
  type Point,
  roundUp,
  type Series,
  sampled,
} from "@/shared/chart/model";
import { compact, money, rough, span } from "@/shared/format";

/** What is drawn of a curve. */
export type Measure = "total" | "fresh" | "cost";

export const measures: Record<Measure, { label: string; unit: string; write: (value: number) => string }> = {
  total: { label: "Tokens", unit: "tokens", write: compact },
  fresh: { label: "Not from cache", unit: "tokens that no cache served", write: compact },
  cost: { label: "Cost", unit: "", write: money },
};

export const amountOf = (point: CurvePoint, measure: Measure): number =>
  measure === "cost" ? (point.costNanoUsd ?? 0) : point[measure];

export type Cumulative = {
  points: readonly CurvePoint[];
  measure: Measure;
  /** The session's time now. */
  elapsedMs: number;
  /** What is planned; `null` is open-ended. */
  duration: number | null;
  /** Of this measure; `null` is none. */
  budget: number | null;
  forecast: ForecastView | null;
  checkpoints: readonly { elapsedMs: number; phase: string }[];
  /** What one's own finished sessions had used by then. */
  past: readonly PastBand[];
};

type Line = Extract<Series, { kind: "line" }>;

const MINUTE = 60_000;
const SAMPLE = 12;
/** A budget so many times what is drawn would press it flat; the bar above says how far it is. */
const BUDGET_IN_SIGHT = 3;
/** A forecast so many times the budget would press it flat as well: what matters is where it is crossed. */
const FORECAST_IN_SIGHT = 2;

const outlookOf = (forecast: ForecastView | null, measure: Measure): OutlookView | null =>
  (measure === "cost" ? forecast?.costNanoUsd : forecast?.[measure]) ?? null;

/** When it ends, by the plan or, where the end is open, by how long the forecast's rest takes. */
const endOf = ({ elapsedMs, duration }: Cumulative, outlook: OutlookView | null): number => {
  if (duration !== null) return Math.max(duration, elapsedMs);
  if (outlook === null || outlook.perMinute <= 0) return elapsedMs;
  const restMs = ((outlook.expected - outlook.spent) / outlook.perMinute) * MINUTE;
  return elapsedMs + Math.min(Math.max(0, restMs), Math.max(elapsedMs, 30 * MINUTE));
};

export const cumulativeChart = (told: Cumulative): { model: ChartModel; text: ChartText } => {
  const { points, measure, elapsedMs, budget, forecast, checkpoints } = told;
  const { label, unit, write } = measures[measure];
  const line: Point[] = points.map((point) => ({ x: point.atMs, y: amountOf(point, measure) }));
  const last = line.at(-1);
  const now = { x: Math.max(elapsedMs, last?.x ?? 0), y: last?.y ?? 0 };
  if (last && last.x < now.x) line.push(now);
  const outlook = outlookOf(forecast, measure);
  const end = endOf(told, outlook);
  const fan = outlook && end > now.x ? fanOf(now, end, outlook) : [];
  const usual = usualOf(told, end);
  const known = Math.max(now.y, ...usual.flatMap(({ points: median }) => median.map(({ y }) => y)));
  const foreseen = outlook && fan.length > 0 ? outlook.band80.high : 0;
  const most = budget === null ? foreseen : Math.max(budget, known) * FORECAST_IN_SIGHT;
  const top = Math.max(known, Math.min(foreseen, most));
  const isNear = budget !== null && budget <= top * BUDGET_IN_SIGHT;
  const highest = Math.max(top, isNear ? budget * 1.08 : 0);
  return {
    model: {
      x: { min: 0, max: Math.max(end, MINUTE), write: span },
      y: { min: 0, max: roundUp(highest), write },
      series: [{ kind: "line", label, colour: "accent", points: line }, ...usual, ...fan],
      ...(isNear && { limit: { y: budget, label: `Budget ${write(budget)}` } }),
      marks: checkpoints.map(({ elapsedMs: x, phase }) => ({ x, label: phase })),
    },
    text: {
      summary: [
        `${write(now.y)} ${unit}`.trim(),
        ` after ${span(now.x)}`,
        outlook && fan.length > 0 ? foretold(outlook, write) : "",
        budget === null || isNear ? "" : `; the budget of ${write(budget)} is far above`,
        ".",
      ].join(""),
      columns: ["Time", label],
      rows: sampled(line, SAMPLE).map(({ x, y }) => [span(x), write(y)]),
    },
  };
};

/** The median of one's own finished sessions, as far as the axis goes. */
const usualOf = ({ past, measure }: Cumulative, end: number): Line[] => {
  const points = past.flatMap((band) => {
    const y = measure === "cost" ? band.costNanoUsd?.median : band[measure].median;
    return y === undefined || band.atMs > end ? [] : [{ x: band.atMs, y }];
  });
  return points.length < 2
    ? []
    : [{ kind: "line", label: "Your median", colour: "muted", look: "faint", points }];
};

const foretold = ({ band80 }: OutlookView, write: (value: number) => string): string =>
  `; ${write(rough(band80.low, "down"))} to ${write(rough(band80.high, "up"))} by the end (80 % range)`;

/** From what is spent now to where it may end: wide where little is known. */
const fanOf = (now: Point, end: number, outlook: OutlookView): Series[] => {
  const from = { x: now.x, low: now.y, high: now.y };
  const to = (low: number, high: number) => ({
    x: end,
    low: Math.max(now.y, low),
    high: Math.max(now.y, high),
  });
  return [
    {
      kind: "band",
      label: "80 % range",
      colour: "accent",
      points: [from, to(outlook.band80.low, outlook.band80.high)],
    },
    {
      kind: "band",
      label: "50 % range",
      colour: "accent",
      points: [from, to(outlook.band50.low, outlook.band50.high)],
    },
    {
      kind: "line",
      label: "Expected",
      colour: "accent",
      look: "dashed",
      points: [now, { x: end, y: Math.max(now.y, outlook.expected) }],
    },
  ];
};
