import { useMemo, useState } from "react";
import { Link } from "wouter";
import type { UsagePage } from "@/api/types.gen";
import { weekHeat, yearHeat, yearStart } from "@/features/analytics/heat";
import { HeatMap } from "@/features/analytics/heat-map";
import { ModelsTable } from "@/features/analytics/models-table";
import { dayText, rangeName, rangeOf, USUAL } from "@/features/analytics/range";
import { RangePicker } from "@/features/analytics/range-picker";
import { TotalsRow } from "@/features/analytics/totals";
import {
  type Asked,
  bucketOf,
  measureOf,
  measures,
  splitOf,
  splits,
  usageChart,
} from "@/features/analytics/usage-chart";
import { ChartFrame } from "@/shared/chart/chart-frame";
import { Button } from "@/shared/ui/button";
import { ButtonLink } from "@/shared/ui/button-link";
import { EmptyState } from "@/shared/ui/empty-state";
import { SelectFilter } from "@/shared/ui/filter-bar";
import { Loaded, OWN_CARD } from "@/shared/ui/loaded";
import { PageHeader } from "@/shared/ui/page-header";
import { Segmented } from "@/shared/ui/segmented";
import { SkeletonCard, StatsSkeleton } from "@/shared/ui/skeleton";
import { queryString, useUrlState } from "@/shared/use-url-state";
import { midnight, zone, zoneName } from "@/shared/zone";
import { serverNow, useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

const usage = (groupBy: string, from: number | null, to: number | null): string =>
  `/api/analytics/usage${queryString({ groupBy, from, to, timeZone: zone() })}`;

/** What was used over a longer time. */
export const AnalyticsPage = () => {
  const [values, change] = useUrlState("range", "from", "to", "by", "measure");
  const clock = useLive((live) => live.state.clock);
  const now = clock.serverAt === 0 ? Date.now() : serverNow(clock, clock.receivedAt);
  // The day alone decides what is asked for.
  const today = midnight(now);
  const name = rangeName(values.range);
  const split = splitOf(values.by);
  const measure = measureOf(values.measure);
  const range = rangeOf(name, values, today);
  const bucket = bucketOf(range, now);
  const main = useRead<UsagePage>(
    "usage",
    usage([bucket, split].filter(Boolean).join(","), range.from, range.to),
  );
  const models = useRead<UsagePage>("usage", usage("provider,model", range.from, range.to));
  const week = useRead<UsagePage>("usage", usage("weekday,hourOfDay", range.from, range.to));
  const year = useRead<UsagePage>("usage", usage("day", yearStart(today), null));
  const choose = (chosen: { range?: string; from?: string; to?: string }): void => {
    const isCustom = (chosen.range ?? name) === "custom";
    change({
      ...chosen,
      ...(chosen.range === USUAL && { range: "" }),
      ...(chosen.range === "custom" && { from: dayText(midnight(today, -13)), to: dayText(today) }),
      ...(!isCustom && { from: "", to: "" }),
    });
  };
  return (
    <>
      <PageHeader title="Analytics">
        What was used, of what and when. Days begin at midnight,{" "}
        <Link href="/settings" className="underline hover:text-ink">
          {zoneName(zone())} time
        </Link>
        .
      </PageHeader>
      <search className="mb-4 flex flex-wrap items-center gap-2 print:hidden">
        <RangePicker range={name} from={values.from} to={values.to} onChange={choose} />
      </search>
      <Loaded of={main} skeleton={<PageShape />} failureClass={OWN_CARD}>
        {(page) =>
          page.totals.requests === 0 ? (
            <Nothing isAll={name === "all"} onAll={() => choose({ range: "all" })} />
          ) : (
            <div className="grid gap-4 lg:gap-5">
              <TotalsRow totals={page.totals} />
              <OverTime
                page={page}
                isOld={main.isPlaceholderData}
                asked={{ range, split, now }}
                measure={measure}
                onMeasure={(chosen) => change({ measure: chosen === "tokens" ? "" : chosen })}
                onSplit={(chosen) => change({ by: chosen })}
              />
              <Loaded of={models} skeleton={<SkeletonCard className="h-64" />} failureClass={OWN_CARD}>
                {({ groups }) => <ModelsTable groups={groups} />}
              </Loaded>
            </div>
          )
        }
      </Loaded>
      {/* Not before what stands above it: how high that is, nobody knows until then. */}
      {main.data !== undefined && (
        <div className="mt-4 grid items-start gap-4 lg:mt-5 lg:gap-5 2xl:grid-cols-[1.7fr_1fr]">
          {year.isPending && <SkeletonCard className="h-64" />}
          {(year.data?.totals.requests ?? 0) > 0 && (
            <HeatMap title="The last year, by day" heat={yearHeat(year.data?.groups ?? [], now)} />
          )}
          {(week.data?.totals.requests ?? 0) > 0 && (
            <HeatMap title="This range, by weekday and hour" heat={weekHeat(week.data?.groups ?? [])} />
          )}
        </div>
      )}
    </>
  );
};

type OverTimeProps = {
  page: UsagePage;
  /** Whether the page is the answer to an older question. */
  isOld: boolean;
  asked: Asked;
  measure: ReturnType<typeof measureOf>;
  onMeasure: (measure: ReturnType<typeof measureOf>) => void;
  onSplit: (split: string) => void;
};

/** The bars. An older answer is drawn as it was asked for until the new one comes. */
const OverTime = ({ page, isOld, asked, measure, onMeasure, onSplit }: OverTimeProps) => {
  const sessions = useLive((live) => live.state.sessions);
  const [kept, setKept] = useState({ page, asked });
  if (!isOld && kept.page !== page) setKept({ page, asked });
  const chart = useMemo(() => {
    const nameOf = (id: string) => sessions.find(({ view }) => view.id === id)?.view.name;
    return usageChart(kept.page.groups, kept.asked, measure, nameOf);
  }, [kept, measure, sessions]);
  return (
    <ChartFrame
      title={`${measures.find(({ value }) => value === measure)?.label} over time`}
      height="h-72"
      aside={
        <span className="flex flex-wrap items-center gap-2">
          <SelectFilter
            label="Split by"
            any={measure === "tokens" ? "By part" : "Not split"}
            value={asked.split}
            options={splits.map(({ value, label }) => ({ value, label: `By ${label.toLowerCase()}` }))}
            onChange={onSplit}
          />
          <Segmented label="What is drawn" options={measures} value={measure} onChange={onMeasure} />
        </span>
      }
      {...chart}
    />
  );
};

const Nothing = ({ isAll, onAll }: { isAll: boolean; onAll: () => void }) => (
  <div className="card">
    {isAll ? (
      <EmptyState
        title="Nothing was used yet"
        action={<ButtonLink href="/connect">Connect a tool</ButtonLink>}
      >
        The calls of every tool that you connect are summed up here.
      </EmptyState>
    ) : (
      <EmptyState title="No calls in this range" action={<Button onClick={onAll}>Look at all time</Button>} />
    )}
  </div>
);

const PageShape = () => (
  <div className="grid gap-4 lg:gap-5">
    <StatsSkeleton />
    <SkeletonCard className="h-96" />
    <SkeletonCard className="h-64" />
  </div>
);
