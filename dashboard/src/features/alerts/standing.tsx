import { About } from "@/features/alerts/about";
import { lasted, silence, snoozes } from "@/features/alerts/alert-texts";
import { SeverityMark } from "@/features/alerts/severity";
import { ruleName } from "@/shared/alerts";
import type { SeenAlert } from "@/shared/alerts-in-sight";
import { changeAlert, muteRule } from "@/shared/api-client";
import { plural } from "@/shared/format";
import { Button } from "@/shared/ui/button";
import { CheckIcon, SeverityIcon } from "@/shared/ui/icons";
import { Panel } from "@/shared/ui/panel";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { useAction } from "@/shared/use-action";
import { useAlertsInSight } from "@/shared/use-alerts-in-sight";
import { useSeconds } from "@/shared/use-frames";
import { serverNow, useLive } from "@/store/live-store";
import { queryClient } from "@/store/query-client";

/** The alerts that stand: what asks to be looked at, then what was seen or is silent. */
export const Standing = () => {
  const { seen, fresh, lookAgain } = useAlertsInSight();
  const [newest] = fresh;
  const over = seen?.filter(({ isOver }) => isOver).length ?? 0;
  return (
    <Panel
      title="Active now"
      aside={
        newest ? (
          // Of the header's own height.
          <Button variant="primary" size="small" className="-my-1" onClick={lookAgain}>
            <SeverityIcon severity={newest.severity} />
            Show {plural(fresh.length, "new alert")}
          </Button>
        ) : (
          over > 0 && (
            <Button size="small" className="-my-1" onClick={lookAgain}>
              Clear {over} that ended
            </Button>
          )
        )
      }
    >
      {!seen ? (
        <SkeletonRows rows={2} />
      ) : seen.length === 0 ? (
        <div className="px-5 pb-5">
          <p className="flex h-10 items-center gap-2.5 text-sm">
            {newest ? (
              <>
                <SeverityMark severity={newest.severity} />
                <span className="line-clamp-2 min-w-0">{newest.message}</span>
              </>
            ) : (
              <>
                <span className="grid size-7 shrink-0 place-items-center rounded-full bg-good-soft text-good">
                  <CheckIcon />
                </span>
                <span className="text-muted">
                  No active alerts. Every call is checked against the rules as it arrives.
                </span>
              </>
            )}
          </p>
        </div>
      ) : (
        <ul>
          {seen.map(({ alert, isOver }) => (
            <Row key={alert.id} alert={alert} isOver={isOver} />
          ))}
        </ul>
      )}
    </Panel>
  );
};

const Row = ({ alert, isOver }: SeenAlert) => {
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
        <SeverityMark severity={alert.severity} quiet={!asks || isOver} />
      </div>
      <div className="min-w-0">
        <p className={`text-sm ${asks && !isOver ? "" : "text-muted"}`}>{alert.message}</p>
        <p className="mt-1 text-xs text-muted">
          {ruleName(alert.rule)} · <About scope={alert.scope} /> · {lasted(alert, now)}
          {isOver ? " · ended" : !asks && ` · ${silence(alert, now)}`}
        </p>
        {/* What is over keeps the room of its buttons. */}
        <div
          className={`mt-2.5 flex flex-wrap items-center gap-1.5 empty:hidden ${isOver ? "invisible" : ""}`}
        >
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
