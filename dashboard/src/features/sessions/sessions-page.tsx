import { useCallback, useMemo } from "react";
import { useLocation } from "wouter";
import type { SessionView } from "@/api/types.gen";
import {
  FILTERS,
  MOST_COMPARED,
  NEWEST,
  picks,
  question,
  type SessionFilters,
  sinces,
  sortChoices,
  statuses,
} from "@/features/sessions/session-filters";
import { SessionHeadings, SessionRow } from "@/features/sessions/session-row";
import { plural } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/empty-state";
import { FilterBar, SearchFilter, SelectFilter } from "@/shared/ui/filter-bar";
import { PageHeader } from "@/shared/ui/page-header";
import { PagedList } from "@/shared/ui/paged-list";
import { useUrlState } from "@/shared/use-url-state";
import { serverNow, useLive } from "@/store/live-store";
import { usePages } from "@/store/use-pages";

type SessionsPageAnswer = { sessions: SessionView[]; next: string | null };

export const SessionsPage = () => {
  const [{ pick, ...filters }, change] = useUrlState(...FILTERS, "sort", "pick");
  const isFiltered = FILTERS.some((name) => filters[name] !== "");
  const clear = (): void => change(Object.fromEntries(FILTERS.map((name) => [name, ""])));
  const select = (name: keyof SessionFilters) => ({
    value: filters[name],
    onChange: (value: string) => change({ [name]: value }),
  });
  const picked = picks(pick);
  const onPick = useCallback(
    (id: string, isPicked: boolean): void => {
      const others = picks(pick).filter((other) => other !== id);
      change({ pick: (isPicked ? [...others, id] : others).join(",") });
    },
    [pick, change],
  );
  return (
    <>
      <PageHeader title="Sessions">What you worked on, what it used and what it cost.</PageHeader>
      <FilterBar
        search={<SearchFilter label="Search name, tag or note" {...select("search")} />}
        onClear={isFiltered && clear}
      >
        <SelectFilter label="Status" any="Any status" options={statuses} {...select("status")} />
        <SelectFilter label="Time" any="Any time" options={sinces} {...select("since")} />
        {filters.tag && (
          <SelectFilter
            label="Tag"
            any="Any tag"
            options={[{ value: filters.tag, label: filters.tag }]}
            {...select("tag")}
          />
        )}
        <SelectFilter label="Order" any={NEWEST} options={sortChoices} {...select("sort")} />
      </FilterBar>
      <SessionTable
        filters={filters}
        isFiltered={isFiltered}
        onClear={clear}
        picked={picked}
        onPick={onPick}
      />
      {picked.length > 0 && <CompareBar picked={picked} onClear={() => change({ pick: "" })} />}
    </>
  );
};

type SessionTableProps = {
  filters: SessionFilters;
  isFiltered: boolean;
  onClear: () => void;
  picked: string[];
  onPick: (id: string, isPicked: boolean) => void;
};

const ROW_HEIGHT = 57;

const SessionTable = ({ filters, isFiltered, onClear, picked, onPick }: SessionTableProps) => {
  const { since } = filters;
  const from = useMemo(() => {
    const ms = sinces.find(({ value }) => value === since)?.ms;
    const now = serverNow(useLive.getState().state.clock, performance.now());
    return ms === undefined ? null : Math.round(now - ms);
  }, [since]);
  const pages = usePages<SessionsPageAnswer, SessionView>(
    "/api/sessions",
    question(filters, from),
    ({ sessions }) => sessions,
  );
  const { query, items } = pages;
  const live = useLive((state) => state.state.sessions);
  const clock = useLive((state) => state.state.clock);
  const now = serverNow(clock, clock.receivedAt);
  /** What is live knows more than what was read. */
  const newest = useMemo(() => new Map(live.map((session) => [session.view.id, session])), [live]);
  const known = useMemo(() => new Set(items?.map(({ id }) => id)), [items]);
  const isWhole = !isFiltered && filters.sort === "";
  const first = items?.[0]?.createdAt ?? 0;
  const waiting =
    items && isWhole ? live.filter(({ view }) => !known.has(view.id) && view.createdAt >= first).length : 0;
  const receivedAt = query.dataUpdatedAt - performance.timeOrigin;
  return (
    <PagedList
      label="Sessions"
      testId="session-list"
      of={pages}
      headings={<SessionHeadings />}
      waiting={{
        count: waiting,
        text: `Show ${plural(waiting, "new session")}`,
        onShow: () => void query.refetch(),
      }}
      itemKey={({ id }) => id}
      rowHeight={ROW_HEIGHT}
      row={(view) => (
        <SessionRow
          session={newest.get(view.id) ?? { view, receivedAt }}
          now={now}
          picked={picked.includes(view.id)}
          canPick={picked.length < MOST_COMPARED}
          onPick={onPick}
        />
      )}
      empty={<NoSessions isFiltered={isFiltered} onClear={onClear} />}
    />
  );
};

const NoSessions = ({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) => {
  const [, navigate] = useLocation();
  return isFiltered ? (
    <EmptyState
      title="No session fits these filters"
      action={<Button onClick={onClear}>Clear filters</Button>}
    />
  ) : (
    <EmptyState
      title="No sessions yet"
      action={
        <Button variant="primary" onClick={() => navigate("/")}>
          Start one
        </Button>
      }
    >
      A session is a stretch of your work, with a clock and, if you like, a budget.
    </EmptyState>
  );
};

/** Follows the thumb: two to four sessions go side by side. */
const CompareBar = ({ picked, onClear }: { picked: string[]; onClear: () => void }) => {
  const [, navigate] = useLocation();
  const ids = picked.length === 1 ? [...picked, "median"] : picked;
  return (
    <div className="sticky bottom-20 z-10 mx-auto mt-4 flex w-fit max-w-full flex-wrap items-center gap-2 rounded-card border border-line bg-surface px-4 py-2.5 text-sm shadow-xl lg:bottom-6">
      <p role="status" className="mr-2 text-muted">
        {plural(picked.length, "session")} picked
      </p>
      <Button variant="quiet" onClick={onClear}>
        Cancel
      </Button>
      <Button variant="primary" onClick={() => navigate(`/compare?ids=${ids.join(",")}`)}>
        {picked.length === 1 ? "Compare with your median" : "Compare"}
      </Button>
    </div>
  );
};
