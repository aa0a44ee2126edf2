import { useState } from "react";
import type { AlertRules, AlertsPage, AlertView } from "@/api/types.gen";
import { About } from "@/features/alerts/about";
import { lasted, rangeStart, ranges } from "@/features/alerts/alert-texts";
import { SeverityMark } from "@/features/alerts/severity";
import { ruleName, severityWord } from "@/shared/alerts";
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
  return (
    <Panel title="History">
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
                  {alerts.map((alert) => (
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
