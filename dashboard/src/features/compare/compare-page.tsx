import { useMemo } from "react";
import { Link } from "wouter";
import type { ComparisonView } from "@/api/types.gen";
import {
  type Compared,
  compared,
  comparisonChart,
  difference,
  type FigureRow,
  figureRows,
  figureText,
  medianText,
} from "@/features/compare/comparison";
import { MOST, Picker } from "@/features/compare/picker";
import { ChartFrame } from "@/shared/chart/chart-frame";
import type { Colour } from "@/shared/chart/model";
import { type Measure, measures } from "@/shared/curve/cumulative";
import { type Column, DataTable } from "@/shared/ui/data-table";
import { EmptyState } from "@/shared/ui/empty-state";
import { Loaded, OWN_CARD } from "@/shared/ui/loaded";
import { PageHeader } from "@/shared/ui/page-header";
import { Panel } from "@/shared/ui/panel";
import { Segmented } from "@/shared/ui/segmented";
import { SkeletonCard } from "@/shared/ui/skeleton";
import { useUrlState } from "@/shared/use-url-state";
import { useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

export const ComparePage = () => {
  const [{ ids: listed, of }, change] = useUrlState("ids", "of");
  const ids = [...new Set(listed.split(",").filter(Boolean))].slice(0, MOST);
  const path = ids.length < 2 ? null : `/api/sessions/compare?ids=${ids.map(encodeURIComponent).join(",")}`;
  const read = useRead<ComparisonView>("curves", path);
  const live = useLive((state) => state.state.sessions);
  const nameOf = (id: string): string | undefined =>
    live.find(({ view }) => view.id === id)?.view.name ??
    read.data?.sessions.find(({ sessionId }) => sessionId === id)?.name ??
    undefined;
  return (
    <>
      <PageHeader title="Compare">Sessions side by side, on the same scale of active time.</PageHeader>
      <Picker ids={ids} nameOf={nameOf} onChange={(chosen) => change({ ids: chosen.join(",") })} />
      {path === null ? (
        <section className="card">
          <EmptyState title={ids.length === 0 ? "Pick two sessions" : "Pick a second session"}>
            Up to four fit side by side. One of them can be the median of your finished sessions.
          </EmptyState>
        </section>
      ) : (
        <Loaded of={read} skeleton={<ComparisonSkeleton />} failureClass={OWN_CARD}>
          {(comparison) => (
            <Comparison
              comparison={comparison}
              measure={of === "fresh" || of === "cost" ? of : "total"}
              onMeasure={(chosen) => change({ of: chosen === "total" ? "" : chosen })}
            />
          )}
        </Loaded>
      )}
    </>
  );
};

const ComparisonSkeleton = () => (
  <div className="grid gap-4">
    <SkeletonCard className="h-96" />
    <SkeletonCard className="h-80" />
  </div>
);

const choices = (["total", "fresh", "cost"] as const).map((value) => ({
  value,
  label: measures[value].label,
}));

type ComparisonProps = {
  comparison: ComparisonView;
  measure: Measure;
  onMeasure: (measure: Measure) => void;
};

const Comparison = ({ comparison, measure, onMeasure }: ComparisonProps) => {
  const sessions = useMemo(() => compared(comparison), [comparison]);
  const chart = useMemo(() => comparisonChart(sessions, measure), [sessions, measure]);
  const columns = useMemo(() => columnsOf(sessions), [sessions]);
  const median = medianText(comparison);
  return (
    <div className="grid gap-4 lg:gap-5">
      <ChartFrame
        title={measure === "cost" ? "Cost over active time" : "Tokens over active time"}
        height="h-80"
        aside={<Segmented label="What is drawn" options={choices} value={measure} onChange={onMeasure} />}
        {...chart}
      />
      <Panel title="Figures" aside={<span className="text-xs text-muted">differences are to the first</span>}>
        {median && <p className="px-5 pb-3 text-sm text-muted">{median}</p>}
        <DataTable
          caption="Figures side by side"
          columns={columns}
          rows={figureRows}
          rowKey={({ figure }) => figure}
        />
      </Panel>
    </div>
  );
};

const dots: Partial<Record<Colour, string>> = {
  accent: "bg-accent",
  output: "bg-output",
  warn: "bg-warn-fill",
  "cache-read": "bg-cache-read",
};

const columnsOf = (sessions: readonly Compared[]): Column<FigureRow>[] => [
  { label: "Figure", cell: ({ label }) => <span className="text-muted">{label}</span> },
  ...sessions.map(
    ({ key, name, colour, view }): Column<FigureRow> => ({
      label: key,
      heading: (
        <span className="inline-flex max-w-28 sm:max-w-52 items-center gap-2">
          <span className={`size-2 shrink-0 rounded-full ${dots[colour] ?? "bg-muted"}`} aria-hidden="true" />
          {view.sessionId === null ? (
            name
          ) : (
            <Link
              href={`/sessions/${view.sessionId}`}
              className="truncate font-medium text-ink underline-offset-2 hover:underline"
            >
              {name}
            </Link>
          )}
        </span>
      ),
      align: "right",
      cell: (row) => <Cell row={row} view={view} />,
    }),
  ),
];

const tones = { better: "text-good", worse: "text-bad", "": "text-muted" } as const;

const Cell = ({ row, view }: { row: FigureRow; view: Compared["view"] }) => {
  const { text, verdict } = difference(row, view);
  return (
    <>
      <span className="block">{figureText(row, view.figures)}</span>
      {text && (
        <span className={`block text-xs ${tones[verdict]}`}>
          {text}
          {verdict && `, ${verdict}`}
        </span>
      )}
    </>
  );
};
