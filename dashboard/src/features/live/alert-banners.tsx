import { useState } from "react";
import { Link } from "wouter";
import type { AlertView } from "@/api/types.gen";
import { severityWord, snoozedUntil } from "@/shared/alerts";
import type { SeenAlert } from "@/shared/alerts-in-sight";
import { changeAlert, Problem } from "@/shared/api-client";
import { plural, time } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { SeverityIcon } from "@/shared/ui/icons";
import { useAlertsInSight } from "@/shared/use-alerts-in-sight";
import { useMedia } from "@/shared/use-media";
import { serverNow, useLive } from "@/store/live-store";
import { shownSession } from "@/store/shown-session";
import { useUi } from "@/store/ui-store";

const look = {
  info: { box: "border-line bg-surface", word: "text-accent" },
  warning: { box: "border-warn/25 bg-warn-soft", word: "text-warn" },
  critical: { box: "border-bad/40 bg-bad-soft", word: "text-bad" },
} as const;

/** It asks nothing any more. */
const ended = { box: "border-line bg-surface", word: "text-muted" };

/** More than these push the clock out of sight; on a phone, or much enlarged, more than one does. */
const MOST = 3;

/** The alerts that ask to be looked at, until they were seen. One that is raised meanwhile lies over the page. */
export const AlertBanners = () => {
  const { seen = [], fresh, lookAgain } = useAlertsInSight();
  const most = useMedia("(min-width: 40rem) and (min-height: 40rem)") ? MOST : 1;
  const all = seen.filter(({ alert }) => alert.status === "active");
  const shown = all.slice(0, most);
  const others = all.length - shown.length;
  return (
    <>
      <Raised alerts={fresh} onShow={lookAgain} />
      {shown.length > 0 && (
        <section aria-label="Alerts" className="mb-4 lg:mb-5">
          <ul className="grid gap-2">
            {shown.map((row) => (
              <Banner key={row.alert.id} {...row} onHide={lookAgain} />
            ))}
          </ul>
          {others > 0 && (
            <Link
              href="/alerts"
              className="mt-2 inline-block rounded px-4 text-sm text-muted underline-offset-2 hover:underline"
            >
              {plural(others, "more alert")}
            </Link>
          )}
        </section>
      )}
    </>
  );
};

type RaisedProps = { alerts: readonly AlertView[]; onShow: () => void };

/** What came since: it takes no room, so that nothing moves while it is read. */
const Raised = ({ alerts: [first, ...others], onShow }: RaisedProps) =>
  first && (
    <div className="sticky top-6 z-10 flex h-0 items-center justify-center">
      <button
        type="button"
        onClick={onShow}
        className={`flex h-8 max-w-xl min-w-0 items-center gap-2 rounded-full border px-3.5 text-xs font-medium shadow-lg ${look[first.severity].box}`}
      >
        <span className={look[first.severity].word}>
          <SeverityIcon severity={first.severity} />
        </span>
        <span className="sr-only">Show the new alert: {severityWord[first.severity]}.</span>
        <span className="min-w-0 truncate">{first.message}</span>
        {others.length > 0 && <span className="shrink-0 text-xs text-muted">+{others.length}</span>}
      </button>
    </div>
  );

const Banner = ({ alert, isOver, onHide }: SeenAlert & { onHide: () => void }) => {
  const [problem, setProblem] = useState<string>();
  const { box, word } = isOver ? ended : look[alert.severity];
  const elsewhere = useOtherSession(alert);
  const change = async (body: Parameters<typeof changeAlert>[1]): Promise<void> => {
    try {
      await changeAlert(alert.id, body);
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      setProblem(error.message);
    }
  };
  const snooze = (): Promise<void> =>
    change({ snoozedUntil: snoozedUntil(serverNow(useLive.getState().state.clock, performance.now())) });
  return (
    <li
      data-testid="alert"
      className={`flex flex-wrap items-center gap-x-3 gap-y-1 rounded-card border px-4 py-2 text-sm sm:flex-nowrap ${box}`}
    >
      <span className={`inline-flex w-20 shrink-0 items-center gap-1.5 font-medium ${word}`}>
        <SeverityIcon severity={alert.severity} />
        {severityWord[alert.severity]}
      </span>
      <p className="min-w-0 basis-full sm:flex-1 sm:basis-auto">
        {alert.message}{" "}
        <span className="text-xs text-muted">
          <span className="whitespace-nowrap">{isOver ? "ended" : since(alert)}</span>
          {elsewhere && ` · ${elsewhere}`}
        </span>
        {problem && (
          <span role="alert" className="block text-bad">
            {problem}
          </span>
        )}
      </p>
      <span className="flex shrink-0 gap-2 py-1">
        {isOver ? (
          <Button size="small" onClick={onHide}>
            Hide
          </Button>
        ) : (
          <>
            <Button size="small" onClick={() => change({ acknowledged: true })}>
              Acknowledge
            </Button>
            <Button size="small" onClick={snooze}>
              Snooze 1 h
            </Button>
          </>
        )}
      </span>
    </li>
  );
};

/** The name of the session that an alert is about, where another one is shown. */
const useOtherSession = ({ scope }: AlertView): string | undefined => {
  const ui = useUi();
  return useLive(({ state: { sessions } }) => {
    const about = "sessionId" in scope ? scope.sessionId : null;
    if (about === null || shownSession(sessions, ui)?.view.id === about) return undefined;
    return sessions.find(({ view }) => view.id === about)?.view.name;
  });
};

const since = ({ raisedAt, worsenedAt }: AlertView): string => `since ${time(worsenedAt ?? raisedAt)}`;
