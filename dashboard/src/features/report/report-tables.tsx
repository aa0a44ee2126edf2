import { Link } from "wouter";
import type {
  AlertsPage,
  AlertView,
  CheckpointView,
  ClockEvent,
  ClockEvents,
  SourceTotals,
  TokensPage,
  Totals,
} from "@/api/types.gen";
import { clockText } from "@/features/report/clock-text";
import { auditText } from "@/features/report/summary";
import { ruleName, severityWord } from "@/shared/alerts";
import { compact, count, day, money, percent, span } from "@/shared/format";
import { promptTokens } from "@/shared/session/token-parts";
import { type Column, DataTable } from "@/shared/ui/data-table";
import { SeverityIcon } from "@/shared/ui/icons";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { useRead } from "@/store/query-client";

const checkpointColumns: Column<CheckpointView>[] = [
  { label: "Checkpoint", cell: ({ phase }) => <span className="font-medium">{phase}</span> },
  { label: "At", align: "right", cell: ({ elapsedMs }) => span(elapsedMs) },
  { label: "Time since", align: "right", cell: ({ sinceMs }) => span(sinceMs) },
  { label: "Tokens since", align: "right", cell: ({ since }) => compact(since.total) },
  { label: "Cost since", align: "right", cell: ({ since }) => money(since.costNanoUsd) },
  { label: "Cost so far", align: "right", cell: ({ usage }) => money(usage.costNanoUsd) },
];

/** What lay between the moments that were noted. */
export const CheckpointTable = ({ checkpoints }: { checkpoints: readonly CheckpointView[] }) =>
  checkpoints.length > 0 && (
    <Panel title="Checkpoints" className="break-inside-avoid">
      <DataTable
        caption="Checkpoints"
        columns={checkpointColumns}
        rows={checkpoints}
        rowKey={({ id }) => id}
      />
    </Panel>
  );

type ModelGroup = Totals & { provider: string | null; model: string | null };

const modelColumns: Column<ModelGroup>[] = [
  {
    label: "Model",
    className: "min-w-44",
    cell: ({ provider, model }) => (
      <>
        <span className="text-muted">{provider} · </span>
        <span className="font-medium">{model ?? "model unknown"}</span>
      </>
    ),
  },
  { label: "Calls", align: "right", cell: ({ requests }) => count(requests) },
  { label: "In", align: "right", cell: (totals) => compact(promptTokens(totals)) },
  {
    label: "From cache",
    align: "right",
    cell: (totals) => percent(totals.cacheRead, promptTokens(totals)),
  },
  { label: "Out", align: "right", cell: ({ output }) => compact(output) },
  { label: "Cost", align: "right", cell: ({ costNanoUsd }) => money(costNanoUsd) },
];

/** Which models worked. */
export const ModelTable = ({ id }: { id: string }) => {
  const read = useRead<{ groups: ModelGroup[] }>(
    "usage",
    `/api/analytics/usage?period=all&groupBy=provider,model&session=${id}`,
  );
  return (
    <Panel title="Models" className="break-inside-avoid">
      <Loaded of={read}>
        {({ groups }) =>
          groups.length === 0 ? (
            <p className="px-5 pb-5 text-sm text-muted">No call has ended yet.</p>
          ) : (
            <DataTable
              caption="Models"
              columns={modelColumns}
              rows={groups.toSorted((a, b) => b.total - a.total)}
              rowKey={({ provider, model }) => `${provider} ${model}`}
            />
          )
        }
      </Loaded>
    </Panel>
  );
};

const sourceText: Record<NonNullable<SourceTotals["source"]>, string> = {
  exact: "Exact: the provider’s own",
  partial: "Partial: a reply that was cut off",
  estimated: "Estimated here",
  manual: "Reported by hand",
  imported: "Imported",
};

const sourceColumns: Column<SourceTotals>[] = [
  { label: "Source", cell: ({ source }) => (source === null ? "Nothing is known" : sourceText[source]) },
  { label: "Calls", align: "right", cell: ({ requests }) => count(requests) },
  { label: "Tokens", align: "right", cell: ({ tokens }) => count(tokens) },
  { label: "Cost", align: "right", cell: ({ costNanoUsd }) => money(costNanoUsd) },
];

/** Where the numbers come from. */
export const SourceTable = ({ id }: { id: string }) => {
  const read = useRead<TokensPage>("usage", `/api/sessions/${id}/tokens?limit=1`);
  return (
    <Panel title="Where the numbers come from" className="break-inside-avoid">
      <Loaded of={read}>
        {({ reconciliation }) => (
          <>
            <p className="px-5 pb-3 text-sm text-muted">{auditText(reconciliation)}</p>
            <DataTable
              caption="Tokens by source"
              columns={sourceColumns}
              rows={reconciliation.bySource}
              rowKey={({ source }) => source ?? "unknown"}
            />
          </>
        )}
      </Loaded>
    </Panel>
  );
};

/** What it was warned of. */
export const AlertList = ({ id, now }: { id: string; now: number }) => {
  const read = useRead<AlertsPage>("alerts", `/api/alerts?session=${id}&limit=5`);
  return (
    <Panel
      title="Alerts"
      aside={
        <Link
          href={`/alerts?session=${id}`}
          className="text-xs font-medium text-accent underline-offset-2 hover:underline print:hidden"
        >
          All of them
        </Link>
      }
      className="break-inside-avoid"
    >
      <Loaded of={read}>
        {({ alerts }) =>
          alerts.length === 0 ? (
            <p className="px-5 pb-5 text-sm text-muted">No alerts.</p>
          ) : (
            <ul className="grid gap-3 px-5 pb-5 text-sm">
              {alerts.map((alert) => (
                <Alert key={alert.id} alert={alert} now={now} />
              ))}
            </ul>
          )
        }
      </Loaded>
    </Panel>
  );
};

const Alert = ({ alert: { severity, rule, message, raisedAt }, now }: { alert: AlertView; now: number }) => (
  <li className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-2.5">
    <span className="pt-0.5 text-muted">
      <SeverityIcon severity={severity} />
      <span className="sr-only">{severityWord[severity]}</span>
    </span>
    <p>
      {message}{" "}
      <span className="text-xs whitespace-nowrap text-muted">
        {ruleName(rule)}, {day(raisedAt, now)}
      </span>
    </p>
  </li>
);

/** What happened to its clock. */
export const ClockList = ({ id, now }: { id: string; now: number }) => {
  const read = useRead<ClockEvents>("sessions", `/api/sessions/${id}/events`);
  return (
    <Panel title="Clock" className="break-inside-avoid">
      <Loaded of={read}>
        {({ events }) => (
          <ol className="grid gap-1.5 px-5 pb-5 text-sm">
            {events.map((event: ClockEvent) => (
              <li key={event.seq} className="flex flex-wrap justify-between gap-x-4">
                <span>{clockText(event)}</span>
                <span className="text-muted">{day(event.at, now)}</span>
              </li>
            ))}
          </ol>
        )}
      </Loaded>
    </Panel>
  );
};
