import { useState } from "react";
import { Link } from "wouter";
import type { AlertView } from "@/api/types.gen";
import { asking, severityWord, snoozedUntil } from "@/shared/alerts";
import { changeAlert, Problem } from "@/shared/api-client";
import { plural, time } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { SeverityIcon } from "@/shared/ui/icons";
import { useMedia } from "@/shared/use-media";
import { serverNow, useLive } from "@/store/live-store";
import { shownSession } from "@/store/shown-session";
import { useUi } from "@/store/ui-store";

const look = {
  info: { box: "border-line bg-surface", word: "text-accent" },
  warning: { box: "border-warn/25 bg-warn-soft", word: "text-warn" },
  critical: { box: "border-bad/40 bg-bad-soft", word: "text-bad" },
} as const;

/** More than these push the clock out of sight; on a phone, or much enlarged, more than one does. */
const MOST = 3;

/** The alerts that ask to be looked at, until they are over or were seen. */
export const AlertBanners = () => {
  const alerts = useLive((live) => live.state.alerts);
  const most = useMedia("(min-width: 40rem) and (min-height: 40rem)") ? MOST : 1;
  const all = asking(alerts);
  const shown = all.slice(0, most);
  const others = all.length - shown.length;
  if (shown.length === 0) return null;
  return (
    <section aria-label="Alerts">
      <ul className="grid gap-2">
        {shown.map((alert) => (
          <Banner key={alert.id} alert={alert} />
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
  );
};

const Banner = ({ alert }: { alert: AlertView }) => {
  const [problem, setProblem] = useState<string>();
  const { box, word } = look[alert.severity];
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
          <span className="whitespace-nowrap">{since(alert)}</span>
          {elsewhere && ` · ${elsewhere}`}
        </span>
        {problem && (
          <span role="alert" className="block text-bad">
            {problem}
          </span>
        )}
      </p>
      <span className="flex shrink-0 gap-2 py-1">
        <Button size="small" onClick={() => change({ acknowledged: true })}>
          Acknowledge
        </Button>
        <Button size="small" onClick={snooze}>
          Snooze 1 h
        </Button>
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
