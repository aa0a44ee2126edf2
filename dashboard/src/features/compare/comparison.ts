/**
 * Sessions side by side, made ready to be drawn and read. Pure.
 */
import type { ComparedView, ComparisonView, SessionFigures } from "@/api/types.gen";
import { type ChartModel, type ChartText, type Colour, roundUp, sampled } from "@/shared/chart/model";
import { amountOf, type Measure, measures } from "@/shared/curve/cumulative";
import { compact, count, money, plural, span, UNKNOWN } from "@/shared/format";

/** One for each that can stand beside the others. */
const COLOURS: Colour[] = ["accent", "output", "warn", "cache-read"];

export type Compared = { key: string; name: string; colour: Colour; view: ComparedView };

/** In the order asked for; the median is told apart by its name and its dashes. */
export const compared = ({ sessions }: ComparisonView): Compared[] =>
  sessions.map((view, index) => ({
    key: view.sessionId ?? "median",
    name: view.name ?? "Your median",
    colour: view.sessionId === null ? "muted" : (COLOURS[index] ?? "ink"),
    view,
  }));

const SAMPLE = 12;

export const comparisonChart = (
  sessions: readonly Compared[],
  measure: Measure,
): { model: ChartModel; text: ChartText } => {
  const { label, write } = measures[measure];
  const points = sessions.flatMap(({ view }) => view.points);
  const end = Math.max(60_000, ...points.map(({ atMs }) => atMs));
  const top = points.reduce((high, point) => Math.max(high, amountOf(point, measure)), 0);
  const longest = sessions.reduce<Compared | undefined>(
    (most, one) => (one.view.points.length > (most?.view.points.length ?? -1) ? one : most),
    undefined,
  );
  const at = (one: Compared, atMs: number): string => {
    const point = one.view.points.find((known) => known.atMs === atMs);
    return point ? write(amountOf(point, measure)) : UNKNOWN;
  };
  return {
    model: {
      x: { min: 0, max: end, write: span },
      y: { min: 0, max: roundUp(top), write },
      series: sessions.map(({ name, colour, view }) => ({
        kind: "line",
        label: name,
        colour,
        look: view.sessionId === null ? "dashed" : "solid",
        points: view.points.map((point) => ({ x: point.atMs, y: amountOf(point, measure) })),
      })),
    },
    text: {
      summary: `${label} over each session’s own time, in which there are no pauses.`,
      columns: ["Time", ...sessions.map(({ name }) => name)],
      rows: sampled(longest?.view.points ?? [], SAMPLE).map(({ atMs }) => [
        span(atMs),
        ...sessions.map((one) => at(one, atMs)),
      ]),
    },
  };
};

type Figure = keyof SessionFigures;

/** Which way is better; some numbers are neither. */
type Better = "less" | "more" | null;

export type FigureRow = {
  figure: Figure;
  label: string;
  write: (value: number) => string;
  better: Better;
};

const percentage = (value: number): string => `${value}\u00a0%`;

export const figureRows: FigureRow[] = [
  { figure: "elapsedMs", label: "Active time", write: span, better: null },
  { figure: "requests", label: "Calls", write: count, better: null },
  { figure: "errors", label: "Did not complete", write: count, better: "less" },
  { figure: "total", label: "Tokens", write: compact, better: "less" },
  { figure: "input", label: "Input", write: compact, better: null },
  { figure: "cacheRead", label: "Cache read", write: compact, better: null },
  { figure: "cacheWrite", label: "Cache write", write: compact, better: null },
  { figure: "output", label: "Output", write: compact, better: null },
  { figure: "reasoning", label: "of it, reasoning", write: compact, better: null },
  { figure: "costNanoUsd", label: "Cost", write: money, better: "less" },
  { figure: "cacheSharePercent", label: "Prompts from cache", write: percentage, better: "more" },
  { figure: "outputPerMinute", label: "Output a minute", write: compact, better: null },
  { figure: "efficiency", label: "Efficiency", write: (value) => `${value} of 100`, better: "more" },
];

export const figureText = ({ figure, write }: FigureRow, figures: SessionFigures | null): string => {
  const value = figures?.[figure] ?? null;
  return value === null ? UNKNOWN : write(value);
};

export type Difference = { text: string; verdict: "better" | "worse" | "" };

/** `+1.2M (+34 %)` and `worse`: the sign and the word say what a colour would. */
export const difference = (
  { figure, write, better }: FigureRow,
  { figures, difference: less }: Pick<ComparedView, "figures" | "difference">,
): Difference => {
  const by = less?.[figure] ?? null;
  const value = figures?.[figure] ?? null;
  if (by === null || value === null) return { text: "", verdict: "" };
  if (by === 0) return { text: "the same", verdict: "" };
  const first = value - by;
  const isShare = figure === "cacheSharePercent" || figure === "efficiency";
  const sign = by > 0 ? "+" : "−";
  const percents = Math.round((Math.abs(by) / first) * 100);
  const share = first > 0 && percents > 0 && !isShare ? ` (${sign}${percents}\u00a0%)` : "";
  const unit = isShare ? `${Math.abs(by)} points` : write(Math.abs(by));
  if (!isShare && write(value) === write(first)) return { text: "the same", verdict: "" };
  const isBetter = better !== null && by > 0 === (better === "more");
  return {
    text: `${sign}${unit}${share}`,
    verdict: better === null ? "" : isBetter ? "better" : "worse",
  };
};

/** How many sessions stand behind the median. */
export const medianText = ({ sessions }: ComparisonView): string => {
  const found = sessions.find(({ sessionId }) => sessionId === null);
  if (!found) return "";
  return found.figures === null
    ? "Your median needs three finished sessions."
    : `Your median is that of ${plural(found.pastSessions, "finished session")}.`;
};
