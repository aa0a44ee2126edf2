import type { UseQueryResult } from "@tanstack/react-query";
import { useState } from "react";
import type { AlertRules, AlertsPage, AlertView } from "@/api/types.gen";
import { About } from "@/features/alerts/about";
import { lasted, rangeStart, ranges } from "@/features/alerts/alert-texts";
import { SeverityMark } from "@/features/alerts/severity";
import { ruleName, severityWord } from "@/shared/alerts";
import { plural } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/empty-state";
import { FilterBar, SelectFilter } from "@/shared/ui/filter-bar";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { queryString, useUrlState } from "@/shared/use-url-state";
import { serverNow, useLive } from "@/store/live-store";
import { useRead } from "@/store/query-client";

const PAGE = 50;
/** What one request gives at most. */
const MOST = 1_000;

const severities = Object.entries(severityWord).map(([value, label]) => ({ value, label }));

/** The alerts that are over, with filters in the address. */
export const History = () => {
  const [filters, change] = useUrlState("rule", "severity", "session", "range");
  const [limit, setLimit] = useState(PAGE);
  const clock = useLive((live) => live.state.clock);
  const now = clock.serverAt === 0 ? Date.now() : serverNow(clock, clock.receivedAt);
  const { range, ...said } = filters;
  const query = queryString({ standing: "false", ...said, from: rangeStart(range, now), limit });
  const page = useRead<AlertsPage>("alerts", `/api/alerts${query}`);
  const rules = useRead<AlertRules>("alerts", "/api/alert-rules");
  const sessions = useLive((live) => live.state.sessions);
  const isFiltered = Object.values(filters).some((value) => value !== "");
  const clear = (): void => change({ rule: "", severity: "", session: "", range: "" });
  const names = sessions.map(({ view }) => ({ value: view.id, label: view.name }));
  const isListed = filters.session === "" || names.some(({ value }) => value === filters.session);
  const { until, waiting, showAll } = useReadUntil(page, query);
  return (
    <Panel
      title="History"
      aside={
        waiting > 0 && (
          <Button size="small" className="-my-1" onClick={showAll}>
            Show {plural(waiting, "new entry", "new entries")}
          </Button>
        )
      }
    >
      <div className="px-5 pt-1">
        <FilterBar onClear={isFiltered && clear}>
          <SelectFilter
            label="Severity"
            any="Any severity"
            value={filters.severity}
            options={severities}
            onChange={(severity) => change({ severity })}
          />
          <SelectFilter
            label="Rule"
            any="Any rule"
            value={filters.rule}
            options={(rules.data?.rules ?? []).map(({ rule }) => ({ value: rule, label: ruleName(rule) }))}
            onChange={(rule) => change({ rule })}
          />
          <SelectFilter
            label="Session"
            any="Any session"
            value={filters.session}
            options={isListed ? names : [...names, { value: filters.session, label: "One session" }]}
            onChange={(session) => change({ session })}
          />
          <SelectFilter
            label="Time"
            any="Any time"
            value={range}
            options={ranges}
            onChange={(changed) => change({ range: changed })}
          />
        </FilterBar>
      </div>
      {/* As high as its skeleton: what stands below it on a phone stays where it is. */}
      <div className="flex flex-col max-xl:min-h-69">
        <Loaded of={page}>
          {({ alerts, next }) =>
            alerts.length === 0 ? (
              <div className="my-auto">
                <Nothing isFiltered={isFiltered} onClear={clear} />
              </div>
            ) : (
              <>
                <ul>
                  {alerts.filter(isUntil(until)).map((alert) => (
                    <Row key={alert.id} alert={alert} now={now} />
                  ))}
                </ul>
                {next !== null && limit < MOST && (
                  <div className="border-t border-line/60 px-5 py-3 text-center">
                    <Button variant="quiet" onClick={() => setLimit(Math.min(MOST, limit + PAGE))}>
                      Show more
                    </Button>
                  </div>
                )}
              </>
            )
          }
        </Loaded>
      </div>
    </Panel>
  );
};

const clearedAt = (alert: AlertView): number => alert.clearedAt ?? 0;
const isUntil =
  (until: number) =>
  (alert: AlertView): boolean =>
    clearedAt(alert) <= until;

/**
 * Until when the history is in sight: what ends while it is read waits until it is asked for, so that nothing moves. An
 * empty one has nothing to move, and a hidden one no reader.
 */
const useReadUntil = ({ data, isPlaceholderData }: UseQueryResult<AlertsPage>, query: string) => {
  const [known, setKnown] = useState({ query: "", until: 0 });
  const all = data?.alerts ?? [];
  const newest = Math.max(0, ...all.map(clearedAt));
  const isRead = known.query === query && known.until > 0 && document.visibilityState === "visible";
  if (data && !isPlaceholderData && !isRead && (known.query !== query || known.until !== newest))
    setKnown({ query, until: newest });
  const until = isRead ? known.until : newest;
  return {
    until,
    waiting: all.filter((alert) => !isUntil(until)(alert)).length,
    showAll: () => setKnown({ query, until: newest }),
  };
};

const Nothing = ({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) =>
  isFiltered ? (
    <EmptyState
      title="No alert fits these filters"
      action={<Button onClick={onClear}>Clear filters</Button>}
    />
  ) : (
    <EmptyState title="No past alerts">
      Alerts that ended are kept here, with how long they lasted.
    </EmptyState>
  );

const Row = ({ alert, now }: { alert: AlertView; now: number }) => (
  <li
    data-testid="past-alert"
    className="grid gap-x-4 gap-y-0.5 border-t border-line/60 px-5 py-3 sm:grid-cols-[6rem_minmax(0,1fr)]"
  >
    <div>
      <SeverityMark severity={alert.severity} quiet />
    </div>
    <div className="min-w-0">
      <p className="text-sm">{alert.message}</p>
      <p className="mt-0.5 text-xs text-muted">
        {ruleName(alert.rule)} · <About scope={alert.scope} /> · {lasted(alert, now)}
        {alert.acknowledgedAt !== null && " · seen"}
      </p>
    </div>
  </li>
);
