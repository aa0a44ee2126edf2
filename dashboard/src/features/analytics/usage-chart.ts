/**
 * What was used over time, as a chart and in words. Pure.
 */
import type { Totals, UsageGroup } from "@/api/types.gen";
import { dayStart, type Range, type Step, stepOf, stepStart, steps } from "@/features/analytics/range";
import type { ChartModel, ChartText, Colour } from "@/shared/chart/model";
import { compact, count, date, money, month, percent, time } from "@/shared/format";

export const measures = [
  { value: "tokens", label: "Tokens" },
  { value: "cost", label: "Cost" },
  { value: "calls", label: "Calls" },
] as const;

export type Measure = (typeof measures)[number]["value"];

export const measureOf = (text: string): Measure =>
  measures.find(({ value }) => value === text)?.value ?? "tokens";

/** What bars are split by; "" is the parts of a call's tokens. */
export const splits = [
  { value: "model", label: "Model" },
  { value: "provider", label: "Provider" },
  { value: "client", label: "Tool" },
  { value: "session", label: "Session" },
  { value: "operation", label: "Operation" },
  { value: "source", label: "Source of the numbers" },
  { value: "outcome", label: "Outcome" },
] as const;

export type Split = (typeof splits)[number]["value"] | "";

export const splitOf = (text: string): Split => splits.find(({ value }) => value === text)?.value ?? "";

/** What an answer was asked for: what its groups are read with. */
export type Asked = { range: Range; split: Split; now: number };

/** The server's steps: the finest that the bars need. */
export const bucketOf = ({ from, to }: Range, now: number): "hour" | "day" =>
  from !== null && stepOf(from, to ?? now) === "hour" ? "hour" : "day";

type Part = { label: string; colour: Colour; of: (totals: Totals) => number };

const PARTS: Part[] = [
  { label: "Cache read", colour: "cache-read", of: ({ cacheRead }) => cacheRead },
  { label: "Cache write", colour: "cache-write", of: ({ cacheWrite }) => cacheWrite },
  { label: "Input", colour: "input", of: ({ input }) => input },
  { label: "Output", colour: "output", of: ({ output, reasoning }) => Math.max(0, output - reasoning) },
  { label: "Reasoning", colour: "reasoning", of: ({ reasoning }) => reasoning },
];

const amountOf: Record<Measure, (totals: Totals) => number> = {
  tokens: ({ total }) => total,
  cost: ({ costNanoUsd }) => costNanoUsd ?? 0,
  calls: ({ requests }) => requests,
};

const write: Record<Measure, (value: number) => string> = { tokens: compact, cost: money, calls: count };

/** As many as can be told apart; the rest is one. */
const COLOURS: Colour[] = ["accent", "output", "cache-write", "input", "cache-read", "reasoning"];
const REST = "Others";
const NAMELESS: Partial<Record<Split, string>> = {
  session: "No session",
  source: "Not known",
  client: "Not named",
  model: "Not named",
};

/** The series: their names, and what of a group belongs to each. */
const seriesOf = (
  groups: readonly UsageGroup[],
  { split }: Asked,
  measure: Measure,
  nameOf: (session: string) => string | undefined,
): Part[] => {
  const value = amountOf[measure];
  if (split === "") {
    if (measure === "tokens") return PARTS;
    const label = measures.find((known) => known.value === measure)?.label ?? "";
    return [{ label, colour: "accent", of: value }];
  }
  const sums = new Map<string | null, number>();
  for (const group of groups) {
    const key = group[split] ?? null;
    sums.set(key, (sums.get(key) ?? 0) + value(group));
  }
  const largest = [...sums].sort((a, b) => b[1] - a[1]).map(([key]) => key);
  const own = largest.slice(0, COLOURS.length);
  const keyOf = (totals: Totals): string | null => (totals as UsageGroup)[split] ?? null;
  const shown = own.map((key, index) => ({
    label: key === null ? (NAMELESS[split] ?? "None") : labelOf(split, key, nameOf),
    colour: COLOURS[index] ?? "muted",
    of: (totals: Totals) => (keyOf(totals) === key ? value(totals) : 0),
  }));
  if (largest.length === own.length) return shown;
  const rest = (totals: Totals) => (own.includes(keyOf(totals)) ? 0 : value(totals));
  return [...shown, { label: REST, colour: "muted", of: rest }];
};

const labelOf = (split: Split, key: string, nameOf: (session: string) => string | undefined): string => {
  if (split === "session") return nameOf(key) ?? `Session ${key.slice(0, 8)}`;
  return split === "outcome" || split === "source" ? sentence(key) : key;
};

const sentence = (word: string): string =>
  (word[0]?.toUpperCase() ?? "") + word.slice(1).replaceAll("_", " ");

const stepText: Record<Step, (at: number) => string> = {
  hour: time,
  day: date,
  week: (at) => `Week of ${date(at)}`,
  month,
};

/** When a group's calls began, as far as it says. */
const momentOf = ({ hour, day }: UsageGroup): number | null =>
  hour ?? (day === undefined ? null : dayStart(day));

export const usageChart = (
  groups: readonly UsageGroup[],
  asked: Asked,
  measure: Measure,
  nameOf: (session: string) => string | undefined = () => undefined,
): { model: ChartModel; text: ChartText } => {
  const { range, now } = asked;
  const moments = groups.map(momentOf).filter((at) => at !== null);
  const from = range.from ?? moments.reduce((first, at) => Math.min(first, at), now);
  const to = Math.min(range.to ?? now, Math.max(now, from + 1));
  const step = stepOf(from, to);
  const places = steps(from, to, step);
  const index = new Map(places.map((at, place) => [at, place]));
  const parts = seriesOf(groups, asked, measure, nameOf);
  const bars = parts.map(() => places.map(() => 0));
  for (const group of groups) {
    const at = momentOf(group);
    const place = at === null ? undefined : index.get(stepStart(at, step));
    if (place === undefined) continue;
    parts.forEach(({ of }, part) => {
      const row = bars[part];
      if (row) row[place] = (row[place] ?? 0) + of(group);
    });
  }
  const labels = places.map(stepText[step]);
  const sums = places.map((_, place) => bars.reduce((sum, row) => sum + (row[place] ?? 0), 0));
  return {
    model: {
      x: { labels, write: String },
      y: { min: 0, write: write[measure] },
      series: parts.map(({ label, colour }, part) => ({
        kind: "bar",
        label,
        colour,
        points: (bars[part] ?? []).map((y, x) => ({ x, y })),
      })),
    },
    text: {
      summary: summary(labels, sums, parts, bars, measure, step),
      columns: [sentence(step), "All", ...parts.map(({ label }) => label)],
      rows: labels
        .map((label, place) => [
          label,
          ...[sums[place] ?? 0, ...bars.map((row) => row[place] ?? 0)].map(write[measure]),
        ])
        .filter((_, place) => (sums[place] ?? 0) > 0),
    },
  };
};

const summary = (
  labels: string[],
  sums: number[],
  parts: Part[],
  bars: number[][],
  measure: Measure,
  step: Step,
): string => {
  const all = sums.reduce((sum, value) => sum + value, 0);
  if (all === 0) return `Each bar is one ${step}; all of them are empty.`;
  const most = Math.max(...sums);
  const busiest = labels[sums.indexOf(most)] ?? "";
  const shares = parts.map(({ label }, part) => ({
    label,
    sum: (bars[part] ?? []).reduce((sum, value) => sum + value, 0),
  }));
  const [first] = shares.filter(({ label }) => label !== REST).sort((a, b) => b.sum - a.sum);
  const largest = first && shares.length > 1 ? ` ${first.label} makes ${percent(first.sum, all)} of it.` : "";
  return `Each bar is one ${step}. The most was ${write[measure](most)}: ${busiest}.${largest}`;
};
