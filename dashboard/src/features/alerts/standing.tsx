import type { AlertView } from "@/api/types.gen";
import { About } from "@/features/alerts/about";
import { lasted, silence, snoozes } from "@/features/alerts/alert-texts";
import { SeverityMark } from "@/features/alerts/severity";
import { ruleName, standing } from "@/shared/alerts";
import { changeAlert, muteRule } from "@/shared/api-client";
import { Button } from "@/shared/ui/button";
import { CheckIcon } from "@/shared/ui/icons";
import { Panel } from "@/shared/ui/panel";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { useAction } from "@/shared/use-action";
import { useSeconds } from "@/shared/use-frames";
import { serverNow, useLive } from "@/store/live-store";
import { queryClient } from "@/store/query-client";

/** The alerts that stand: what asks to be looked at, then what was seen or is silent. */
export const Standing = () => {
  const ready = useLive((live) => live.state.seq !== null);
  const alerts = standing(useLive((live) => live.state.alerts));
  return (
    <Panel title="Active now">
      {!ready ? (
        <SkeletonRows rows={2} />
      ) : alerts.length === 0 ? (
        <p className="flex items-center gap-2.5 px-5 pb-5 text-sm text-muted">
          <span className="grid size-7 shrink-0 place-items-center rounded-full bg-good-soft text-good">
            <CheckIcon />
          </span>
          No active alerts. Every call is checked against the rules as it arrives.
        </p>
      ) : (
        <ul>
          {alerts.map((alert) => (
            <Row key={alert.id} alert={alert} />
          ))}
        </ul>
      )}
    </Panel>
  );
};

const Row = ({ alert }: { alert: AlertView }) => {
  const clock = useLive((live) => live.state.clock);
  const now = serverNow(clock, Math.max(useSeconds(true), clock.receivedAt));
  const { problem, run } = useAction();
  const asks = alert.status === "active";
  const mute = async (): Promise<void> => {
    await muteRule(alert.rule, true);
    await queryClient.invalidateQueries({ queryKey: ["alerts"] });
  };
  return (
    <li
      data-testid="standing"
      className="grid gap-x-4 border-t border-line/60 px-5 py-4 sm:grid-cols-[6rem_minmax(0,1fr)]"
    >
      <div className="mb-1 sm:mb-0">
        <SeverityMark severity={alert.severity} quiet={!asks} />
      </div>
      <div className="min-w-0">
        <p className={`text-sm ${asks ? "" : "text-muted"}`}>{alert.message}</p>
        <p className="mt-1 text-xs text-muted">
          {ruleName(alert.rule)} · <About scope={alert.scope} /> · {lasted(alert, now)}
          {!asks && ` · ${silence(alert, now)}`}
        </p>
        <div className="mt-2.5 flex flex-wrap items-center gap-1.5 empty:hidden">
          {asks ? (
            <>
              <Act onClick={() => run(() => changeAlert(alert.id, { acknowledged: true }))}>Acknowledge</Act>
              <span className="ml-2 text-xs text-muted" aria-hidden="true">
                Snooze
              </span>
              {snoozes.map(({ label, until }) => (
                <Act
                  key={label}
                  label={`Snooze ${label.toLowerCase()}`}
                  onClick={() => run(() => changeAlert(alert.id, { snoozedUntil: Math.round(until(now)) }))}
                >
                  {label}
                </Act>
              ))}
              <Button
                variant="quiet"
                size="small"
                aria-label={`Mute the rule ${ruleName(alert.rule)}`}
                onClick={() => run(mute)}
                className="sm:ml-auto"
              >
                Mute the rule
              </Button>
            </>
          ) : (
            alert.status === "snoozed" && (
              <Act onClick={() => run(() => changeAlert(alert.id, { snoozedUntil: null }))}>Wake it</Act>
            )
          )}
        </div>
        {problem && (
          <p role="alert" className="text-sm text-bad">
            {problem}
          </p>
        )}
      </div>
    </li>
  );
};

type ActProps = { label?: string; onClick: () => void; children: string };

const Act = ({ label, onClick, children }: ActProps) => (
  <Button size="small" aria-label={label} onClick={onClick}>
    {children}
  </Button>
);
