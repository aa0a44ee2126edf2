/**
 * What a chart shows, ready to be drawn: plain data, so that preparing it can be tested without a canvas.
 */

/** A colour of the theme: `accent` is `--color-accent`. */
export type Colour =
  | "accent"
  | "muted"
  | "ink"
  | "good"
  | "warn"
  | "bad"
  | "cache-read"
  | "cache-write"
  | "input"
  | "output"
  | "reasoning";

export type Point = { x: number; y: number };

type Named = { label: string; colour: Colour };

export type Series =
  | (Named & { kind: "line"; points: Point[]; look?: "solid" | "dashed" | "faint" })
  /** Between two values at each place. */
  | (Named & { kind: "band"; points: { x: number; low: number; high: number }[] })
  /** Those of one chart stand on each other. */
  | (Named & { kind: "bar"; points: Point[] });

export type Axis = {
  min?: number;
  max?: number;
  /** How a value is written. */
  write: (value: number) => string;
};

export type ChartModel = {
  /** `labels` makes places of equal width, and a point's `x` the place's index. */
  x: Axis & { labels?: string[] };
  y: Axis;
  series: Series[];
  /** A horizontal line: a budget. */
  limit?: { y: number; label: string };
  /** Vertical lines: checkpoints. */
  marks?: { x: number; label: string }[];
};

/** The same in words and rows, for who does not see it. */
export type ChartText = {
  /** What it says, in a sentence or two. */
  summary: string;
  columns: string[];
  rows: string[][];
};

/** At most `count` of `items`, evenly spread, with the first and the last. */
export const sampled = <Item>(items: readonly Item[], count: number): Item[] => {
  if (items.length <= count) return [...items];
  const step = (items.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, index) => items[Math.round(index * step)]).filter(
    (item) => item !== undefined,
  );
};

const STEPS = [1, 2, 2.5, 5, 10];

/** A round number a little above `value`, so that an axis does not move with every call. */
export const roundUp = (value: number): number => {
  if (value <= 0) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  return (STEPS.find((step) => value <= step * unit) ?? 10) * unit;
};

const MINUTE = 60_000;
const SECOND = 1_000;
const TIME_STEPS = [
  10 * SECOND,
  30 * SECOND,
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300].map((minutes) => minutes * MINUTE),
];

/** Where an axis of time has its ticks: at whole seconds, minutes or hours, about six of them. */
export const timeTicks = ({ min = 0, max = 0 }: Axis): number[] => {
  const span = max - min;
  const step =
    TIME_STEPS.find((known) => span / known <= 7) ?? Math.ceil(span / 6 / (60 * MINUTE)) * 60 * MINUTE;
  return Array.from({ length: Math.floor(span / step) + 1 }, (_, index) => min + index * step);
};
