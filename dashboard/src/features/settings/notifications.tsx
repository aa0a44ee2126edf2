import { useState } from "react";
import type { NotificationTarget, NotificationTargets, NotificationTest } from "@/api/types.gen";
import { Example } from "@/features/settings/example";
import { failureOf, told } from "@/features/settings/notification-texts";
import { testNotification } from "@/shared/api-client";
import { Button } from "@/shared/ui/button";
import { AlertIcon, CheckIcon } from "@/shared/ui/icons";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { useAction } from "@/shared/use-action";
import { serverNow, useLive } from "@/store/live-store";
import { queryClient, useRead } from "@/store/query-client";

const EXAMPLE = `[[notify]]
kind = "slack"                   # webhook, slack, discord or desktop
url_variable = "TEAM_SLACK_URL"  # the variable that holds the address
severity = "warning"             # nothing that matters less`;

/** Who is told of alerts. Who that is, only the configuration file says. */
export const NotificationsPanel = () => {
  const page = useRead<NotificationTargets>("alerts", "/api/notifications");
  return (
    <Panel title="Notifications">
      <Loaded of={page}>
        {({ targets }) => (
          <>
            {targets.length > 0 && (
              <ul>
                {targets.map((target) => (
                  <Row key={target.name} target={target} />
                ))}
              </ul>
            )}
            <div className="border-t border-line/60 px-5 py-4 text-sm">
              <p className="text-pretty text-muted">
                {targets.length === 0 ? "Alerts are told on this page only. " : ""}A target stands in the
                configuration file, so that no page can send anything anywhere else; it holds after a restart.
              </p>
              <Example text={EXAMPLE} label="an example of a target" />
            </div>
          </>
        )}
      </Loaded>
    </Panel>
  );
};

const Row = ({ target }: { target: NotificationTarget }) => {
  const clock = useLive((live) => live.state.clock);
  const now = serverNow(clock, clock.receivedAt);
  const [tested, setTested] = useState<NotificationTest>();
  const { problem, busy, run } = useAction();
  const { name } = target;
  const test = async (): Promise<void> => {
    setTested(undefined);
    setTested(await testNotification(name));
    await queryClient.invalidateQueries({ queryKey: ["alerts"] });
  };
  const { about, history } = told(target, now);
  const failure = failureOf(target, now);
  return (
    <li
      data-testid="target"
      className="flex items-start justify-between gap-4 border-t border-line/60 px-5 py-3.5 text-sm"
    >
      <div className="min-w-0">
        <p className="font-medium break-words">{name}</p>
        <p className="text-xs text-muted">{about}</p>
        <p className="text-xs text-muted first-letter:uppercase">{history}</p>
        {failure && (
          <p className="mt-1 flex items-start gap-1.5 text-xs text-bad [overflow-wrap:anywhere]">
            <AlertIcon className="mt-px size-3.5" />
            <span className="inline-block first-letter:uppercase">{failure}</span>
          </p>
        )}
        <div aria-live="polite" className="text-xs">
          {tested?.delivered && (
            <p className="mt-1 flex items-center gap-1.5 text-good">
              <CheckIcon className="size-3.5" /> The test arrived.
            </p>
          )}
          {(problem ?? (tested && !tested.delivered)) && (
            <p className="mt-1 text-bad">{problem ?? `The test did not arrive: ${tested?.error}`}</p>
          )}
        </div>
      </div>
      <Button size="small" aria-label={`Test ${name}`} aria-disabled={busy} onClick={() => run(test)}>
        {busy ? "Testing…" : "Test"}
      </Button>
    </li>
  );
};
