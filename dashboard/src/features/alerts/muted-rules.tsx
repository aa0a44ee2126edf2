import { Link } from "wouter";
import type { AlertRule, AlertRules } from "@/api/types.gen";
import { ruleName } from "@/shared/alerts";
import { muteRule } from "@/shared/api-client";
import { Button } from "@/shared/ui/button";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { useAction } from "@/shared/use-action";
import { queryClient, useRead } from "@/store/query-client";

/** The rules the user does not want to hear of. */
export const MutedRules = () => {
  const rules = useRead<AlertRules>("alerts", "/api/alert-rules");
  return (
    <Panel title="Muted rules">
      <Loaded of={rules} skeleton={<SkeletonRows rows={1} height="h-5" />}>
        {({ rules: all }) => {
          const muted = all.filter((rule) => rule.muted);
          return (
            <div className="px-5 pb-5 text-sm">
              {muted.length > 0 && (
                <ul className="mb-3 grid gap-2">
                  {muted.map((rule) => (
                    <Row key={rule.rule} rule={rule} />
                  ))}
                </ul>
              )}
              <p className="text-muted">
                {muted.length === 0 ? "None muted. " : ""}
                <Link href="/settings#alert-rules" className="underline underline-offset-2 hover:text-ink">
                  All {all.length} rules
                </Link>
              </p>
            </div>
          );
        }}
      </Loaded>
    </Panel>
  );
};

const Row = ({ rule: { rule, about } }: { rule: AlertRule }) => {
  const { problem, run } = useAction();
  const unmute = async (): Promise<void> => {
    await muteRule(rule, false);
    await queryClient.invalidateQueries({ queryKey: ["alerts"] });
  };
  return (
    <li className="grid grid-cols-[minmax(0,1fr)_auto] items-start gap-3">
      <div className="min-w-0">
        <p className="font-medium">{ruleName(rule)}</p>
        <p className="text-xs text-muted">{about}</p>
        {problem && (
          <p role="alert" className="text-xs text-bad">
            {problem}
          </p>
        )}
      </div>
      <Button size="small" aria-label={`Unmute ${ruleName(rule)}`} onClick={() => run(unmute)}>
        Unmute
      </Button>
    </li>
  );
};
