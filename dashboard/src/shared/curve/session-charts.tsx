import { useMemo } from "react";
import type { CheckpointView, CurvePoint, CurveView, PastBand, PastView, SessionView } from "@/api/types.gen";
import { ChartFrame } from "@/shared/chart/chart-frame";
import { cumulativeChart, type Measure, measures } from "@/shared/curve/cumulative";
import { rateChart } from "@/shared/curve/rate";
import { Loaded, OWN_CARD } from "@/shared/ui/loaded";
import { Segmented } from "@/shared/ui/segmented";
import { SkeletonCard } from "@/shared/ui/skeleton";
import { useUrlState } from "@/shared/use-url-state";
import { useRead } from "@/store/query-client";

type SessionChartsProps = {
  view: SessionView;
  /** The session's time; a clock that runs need not be told every frame. */
  elapsedMs: number;
  checkpoints: readonly CheckpointView[];
};

const choices = (["total", "fresh", "cost"] as const).map((value) => ({
  value,
  label: measures[value].label,
}));

const isMeasure = (text: string): text is Measure => choices.some(({ value }) => value === text);

/** How its use grew, and how fast. */
export const SessionCharts = ({ view, elapsedMs, checkpoints }: SessionChartsProps) => {
  const [{ curve: chosen }, choose] = useUrlState("curve");
  const measure: Measure = isMeasure(chosen) ? chosen : "total";
  const read = useRead<CurveView>("curves", `/api/sessions/${view.id}/curve`);
  const past = useRead<PastView>("curves", `/api/sessions/${view.id}/past`).data;
  const points = useMemo(
    () => untilNow(read.data?.points ?? NONE, view, elapsedMs),
    [read.data, view, elapsedMs],
  );
  const grown = useMemo(
    () =>
      cumulativeChart({
        points,
        measure,
        elapsedMs,
        duration: view.status === "completed" ? null : view.duration,
        budget: budgetOf(view, measure),
        forecast: view.forecast,
        checkpoints,
        past: past?.sessionId === view.id ? past.bands : NO_BANDS,
      }),
    [past, points, measure, elapsedMs, view, checkpoints],
  );
  const rate = useMemo(() => rateChart(points), [points]);
  if (view.usage.requests === 0) return null;
  if (read.data?.sessionId !== view.id)
    return (
      <Loaded of={read} skeleton={<ChartsShape />} failureClass={OWN_CARD}>
        {() => <ChartsShape />}
      </Loaded>
    );
  return (
    <div className="grid gap-4 lg:gap-5 xl:grid-cols-[1.6fr_1fr]">
      <ChartFrame
        title={measure === "cost" ? "Cost over time" : "Tokens over time"}
        aside={
          <Segmented
            label="What is drawn"
            options={choices}
            value={measure}
            onChange={(value) => choose({ curve: value === "total" ? "" : value })}
          />
        }
        {...grown}
      />
      <ChartFrame title="Tokens a minute" {...rate} />
    </div>
  );
};

/** As high as what comes, so that nothing below moves. */
const ChartsShape = () => (
  <div className="grid gap-4 lg:gap-5 xl:grid-cols-[1.6fr_1fr]">
    <SkeletonCard className="h-98" />
    <SkeletonCard className="h-98" />
  </div>
);

const NONE: readonly CurvePoint[] = [];
const NO_BANDS: readonly PastBand[] = [];

/** The curve as it was read, and what its session has used since then. */
const untilNow = (
  points: readonly CurvePoint[],
  { usage }: SessionView,
  elapsedMs: number,
): readonly CurvePoint[] => {
  const last = points.at(-1);
  if (!last || usage.total <= last.total || elapsedMs <= last.atMs) return points;
  const { requests: calls, total, costNanoUsd } = usage;
  return [...points, { atMs: elapsedMs, calls, total, fresh: total - usage.cacheRead, costNanoUsd }];
};

/** A budget is of one measure: tokens of all or of fresh ones, or money. */
const budgetOf = (
  { tokenBudget, budgetCounts, costBudgetNanoUsd }: SessionView,
  measure: Measure,
): number | null => {
  if (measure === "cost") return costBudgetNanoUsd;
  return (budgetCounts === "fresh") === (measure === "fresh") ? tokenBudget : null;
};
