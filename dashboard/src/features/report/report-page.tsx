import { useState } from "react";
import { useLocation, useParams } from "wouter";
import type { PastView, SessionView } from "@/api/types.gen";
import { DeleteDialog } from "@/features/report/delete-dialog";
import { EfficiencyPanel } from "@/features/report/efficiency-panel";
import {
  AlertList,
  CheckpointTable,
  ClockList,
  ModelTable,
  SourceTable,
} from "@/features/report/report-tables";
import { summary } from "@/features/report/summary";
import { Problem } from "@/shared/api-client";
import { callsSinceText, useCallsSince } from "@/shared/calls/use-calls-since";
import { SessionCharts } from "@/shared/curve/session-charts";
import { day, fullDate, time } from "@/shared/format";
import { elapsedAt } from "@/shared/session/elapsed";
import { StatusBadge } from "@/shared/session/status-badge";
import { TokenFlow } from "@/shared/session/token-flow";
import { Button } from "@/shared/ui/button";
import { ButtonLink } from "@/shared/ui/button-link";
import { EmptyState } from "@/shared/ui/empty-state";
import { DownloadIcon, PrintIcon, TrashIcon } from "@/shared/ui/icons";
import { Loaded, OWN_CARD } from "@/shared/ui/loaded";
import { PageHeader } from "@/shared/ui/page-header";
import { PageSkeleton } from "@/shared/ui/skeleton";
import { useSeconds } from "@/shared/use-frames";
import type { LiveSession } from "@/store/live-reducer";
import { serverNow, useLive } from "@/store/live-store";
import { queryClient, useRead } from "@/store/query-client";
import { useSessionCheckpoints } from "@/store/session-checkpoints";
import { selectSession } from "@/store/ui-store";

/** One session from its beginning to now, or to its end. */
export const ReportPage = () => {
  const { id = "" } = useParams<{ id: string }>();
  const read = useRead<SessionView>("sessions", `/api/sessions/${encodeURIComponent(id)}`);
  const live = useLive((state) => state.state.sessions.find(({ view }) => view.id === id));
  if (live) return <Report session={live} />;
  if (read.error instanceof Problem && read.error.status === 404) return <NoSession />;
  return (
    <>
      {!read.data && <PageHeader title="Session" />}
      <Loaded of={read} skeleton={<PageSkeleton />} failureClass={OWN_CARD}>
        {(view) => <Report session={{ view, receivedAt: read.dataUpdatedAt - performance.timeOrigin }} />}
      </Loaded>
    </>
  );
};

const NoSession = () => (
  <>
    <PageHeader title="Session not found" />
    <div className="card">
      <EmptyState
        title="There is no session with this address"
        action={<ButtonLink href="/sessions">All sessions</ButtonLink>}
      >
        It was deleted, or belongs to another database.
      </EmptyState>
    </div>
  </>
);

/** What the report says changes no more often than this. */
const STEP_MS = 5_000;

const Report = ({ session }: { session: LiveSession }) => {
  const { view } = session;
  const clock = useLive((state) => state.state.clock);
  const second = useSeconds(view.status === "active");
  const now = serverNow(clock, Math.max(second, clock.receivedAt));
  const running = elapsedAt(session, second);
  const elapsedMs = view.status === "active" ? Math.floor(running / STEP_MS) * STEP_MS : running;
  const checkpoints = useSessionCheckpoints(view);
  const since = useCallsSince();
  const past = useRead<PastView>("curves", `/api/sessions/${view.id}/past`).data;
  const told = summary({ view, elapsedMs, now, past: past?.sessionId === view.id ? past : undefined });
  return (
    <div data-testid="report">
      <PageHeader title={view.name} actions={<Actions view={view} />}>
        <span className="inline-flex flex-wrap items-center gap-x-3 gap-y-1">
          <StatusBadge status={view.status} />
          <span>
            {/* A sheet of paper is read on other days than today. */}
            <span className="print:hidden">{day(view.startedAt, now)}</span>
            <span className="hidden print:inline">
              {fullDate(view.startedAt)} {time(view.startedAt)}
            </span>
            {view.endedAt !== null && ` – ${time(view.endedAt)}`}
          </span>
          {view.tags.length > 0 && <span>{view.tags.join(" · ")}</span>}
        </span>
      </PageHeader>
      <div className="grid gap-4 lg:gap-5">
        <section aria-label="What happened" className="card px-5 py-4 text-[0.9375rem] leading-relaxed">
          <p className="max-w-[75ch] text-pretty">{told.join(" ")}</p>
          {since !== null && view.endedAt !== null && view.endedAt < since && (
            <p className="mt-2 max-w-[75ch] text-sm text-muted">
              {callsSinceText(since)} What those of this session add up to is all here.
            </p>
          )}
          {view.note && (
            <p
              className="mt-2 max-w-[75ch] [overflow-wrap:anywhere] whitespace-pre-line text-muted"
              data-testid="note"
            >
              {view.note}
            </p>
          )}
        </section>
        <SessionCharts view={view} elapsedMs={elapsedMs} checkpoints={checkpoints} />
        {view.usage.total > 0 && <TokenFlow totals={view.usage} />}
        <CheckpointTable checkpoints={checkpoints} />
        <div className="grid items-start gap-4 lg:gap-5 xl:grid-cols-2">
          <div className="grid min-w-0 gap-4 lg:gap-5">
            <ModelTable id={view.id} />
            <SourceTable id={view.id} />
            <ClockList id={view.id} now={now} />
          </div>
          <div className="grid min-w-0 gap-4 lg:gap-5">
            <EfficiencyPanel id={view.id} />
            <AlertList id={view.id} now={now} />
          </div>
        </div>
      </div>
    </div>
  );
};

const Actions = ({ view }: { view: SessionView }) => {
  const [, navigate] = useLocation();
  const [deleting, setDeleting] = useState(false);
  const isOver = view.status === "completed";
  const openLive = (): void => {
    selectSession(view.id);
    navigate("/");
  };
  const deleted = (): void => {
    selectSession(null);
    void queryClient.invalidateQueries();
    navigate("/sessions");
  };
  return (
    <>
      {!isOver && (
        <Button variant="primary" onClick={openLive} className="h-9!">
          Open in Live
        </Button>
      )}
      <ButtonLink href={`/calls?session=${view.id}`}>Calls</ButtonLink>
      <ButtonLink href={`/compare?ids=${view.id},median`}>Compare</ButtonLink>
      {(["csv", "json"] as const).map((format) => (
        <ButtonLink key={format} href={`/api/sessions/${view.id}/export?format=${format}`} download>
          <DownloadIcon className="size-3.5" />
          {format.toUpperCase()}
        </ButtonLink>
      ))}
      <Button onClick={() => window.print()} className="h-9! px-3!">
        <PrintIcon className="size-3.5" />
        Print
      </Button>
      {isOver && (
        <Button variant="quiet" onClick={() => setDeleting(true)} className="h-9! px-3! text-bad!">
          <TrashIcon className="size-3.5" />
          Delete…
        </Button>
      )}
      {deleting && <DeleteDialog view={view} onClose={() => setDeleting(false)} onDeleted={deleted} />}
    </>
  );
};
