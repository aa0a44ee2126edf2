import { useMemo } from "react";
import type { CallView } from "@/api/types.gen";
import { CallFilterBar } from "@/features/calls/call-filter-bar";
import { type CallFilters, FILTERS, fits, fromOf, question } from "@/features/calls/call-filters";
import { CallDrawer } from "@/shared/calls/call-drawer";
import { CallHeadings } from "@/shared/calls/call-headings";
import { CallRow } from "@/shared/calls/call-row";
import { callsSinceText, useCallsSince } from "@/shared/calls/use-calls-since";
import { plural } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { ButtonLink } from "@/shared/ui/button-link";
import { EmptyState } from "@/shared/ui/empty-state";
import { DownloadIcon } from "@/shared/ui/icons";
import { PageHeader } from "@/shared/ui/page-header";
import { PagedList } from "@/shared/ui/paged-list";
import { useUrlState } from "@/shared/use-url-state";
import { serverNow, useLive } from "@/store/live-store";
import { useZoneChanges } from "@/store/ui-store";
import { usePages } from "@/store/use-pages";

type CallsPageAnswer = { calls: CallView[]; next: string | null };

export const CallsPage = () => {
  const [address, change] = useUrlState(...FILTERS, "call");
  const { call: opened, ...filters } = address;
  const isFiltered = FILTERS.some((name) => filters[name] !== "");
  const clear = (): void => change(Object.fromEntries(FILTERS.map((name) => [name, ""])));
  const ask = useQuestion(filters);
  const since = useCallsSince();
  return (
    <>
      <PageHeader
        title="Calls"
        actions={
          <>
            <Export format="csv" ask={ask} isFiltered={isFiltered} />
            <Export format="json" ask={ask} isFiltered={isFiltered} />
          </>
        }
      >
        Every call that passed, newest first.{since !== null && ` ${callsSinceText(since)}`}
      </PageHeader>
      <CallFilterBar filters={filters} onChange={change} onClear={isFiltered && clear} />
      <CallTable
        filters={filters}
        ask={ask}
        isFiltered={isFiltered}
        onClear={clear}
        onOpen={(call) => change({ call })}
      />
      {opened && <CallDrawer id={opened} onClose={() => change({ call: "" })} />}
    </>
  );
};

/** A range begins at one moment for as long as it is looked at: else every render would ask anew. */
const useQuestion = (filters: CallFilters): string => {
  const { since } = filters;
  const timeZone = useZoneChanges();
  // biome-ignore lint/correctness/useExhaustiveDependencies: in another zone, a day began at another moment.
  const from = useMemo(
    () => fromOf({ since } as CallFilters, serverNow(useLive.getState().state.clock, performance.now())),
    [since, timeZone],
  );
  return question(filters, from === null ? null : Math.round(from));
};

type ExportProps = { format: "csv" | "json"; ask: string; isFiltered: boolean };

const Export = ({ format, ask, isFiltered }: ExportProps) => (
  <ButtonLink href={`/api/export${ask === "" ? "?" : `${ask}&`}format=${format}`} download>
    <DownloadIcon className="size-3.5" />
    {format.toUpperCase()}
    <span className="font-normal text-muted">{isFiltered ? "these calls" : "all calls"}</span>
  </ButtonLink>
);

type CallTableProps = {
  filters: CallFilters;
  ask: string;
  isFiltered: boolean;
  onClear: () => void;
  onOpen: (id: string) => void;
};

const ROW_HEIGHT = 60;
const never = (): void => {};

const CallTable = ({ filters, ask, isFiltered, onClear, onOpen }: CallTableProps) => {
  const pages = usePages<CallsPageAnswer, CallView>("/api/calls", ask, ({ calls }) => calls);
  const live = useLive((state) => state.state.calls);
  const sessions = useLive((state) => state.state.sessions);
  const names = new Map(sessions.map(({ view }) => [view.id, view.name]));
  const place = (id: string | null): string =>
    id === null ? "Unassigned" : (names.get(id) ?? "earlier session");
  /** What has become of the calls since they were read: those that ran may have ended. */
  const newest = useMemo(() => new Map(live.map((call) => [call.id, call])), [live]);
  const first = pages.items?.[0];
  const isNew = (call: CallView): boolean =>
    (first === undefined || call.id > first.id) && fits(call, filters);
  const waiting = pages.items ? live.filter(isNew).length : 0;
  const refresh = (): void => {
    window.scrollTo(0, 0);
    void pages.query.refetch();
  };
  return (
    <PagedList
      label="Calls"
      listLabel="Calls, newest first"
      testId="call-list"
      of={pages}
      headings={<CallHeadings />}
      waiting={{ count: waiting, text: `Show ${plural(waiting, "new call")}`, onShow: refresh }}
      itemKey={({ id }) => id}
      rowHeight={ROW_HEIGHT}
      row={(call) => (
        <CallRow
          as="div"
          call={newest.get(call.id) ?? call}
          place={filters.session === "" ? place((newest.get(call.id) ?? call).sessionId) : undefined}
          picked={undefined}
          onPick={never}
          onOpen={onOpen}
        />
      )}
      empty={<NoCalls isFiltered={isFiltered} onClear={onClear} />}
    />
  );
};

const NoCalls = ({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) =>
  isFiltered ? (
    <EmptyState
      title="No call fits these filters"
      action={<Button onClick={onClear}>Clear filters</Button>}
    />
  ) : (
    <EmptyState title="No calls yet" action={<ButtonLink href="/connect">Connect a tool</ButtonLink>}>
      Point a tool at Moonlock; each of its calls gets a row here, whatever becomes of it.
    </EmptyState>
  );
