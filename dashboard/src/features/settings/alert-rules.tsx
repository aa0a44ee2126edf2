import type { AlertRule, AlertRules } from "@/api/types.gen";
import { ruleName } from "@/shared/alerts";
import { muteRule } from "@/shared/api-client";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { Switch } from "@/shared/ui/switch";
import { useAction } from "@/shared/use-action";
import { queryClient, useRead } from "@/store/query-client";

/** What is watched; each rule can be muted. */
export const AlertRulesPanel = () => {
  const rules = useRead<AlertRules>("alerts", "/api/alert-rules");
  return (
    <Panel title="Alert rules">
      <p className="px-5 pb-3 text-sm text-muted">
        A muted rule still watches, and its alerts are kept; it is silent.
      </p>
      <Loaded of={rules}>
        {({ rules: all }) => (
          <ul className="grid pb-2 lg:grid-cols-2">
            {all.map((rule) => (
              <Row key={rule.rule} rule={rule} />
            ))}
          </ul>
        )}
      </Loaded>
    </Panel>
  );
};

const Row = ({ rule: { rule, about, muted } }: { rule: AlertRule }) => {
  const { problem, busy, run } = useAction();
  const toggle = async (): Promise<void> => {
    await muteRule(rule, !muted);
    await queryClient.invalidateQueries({ queryKey: ["alerts"] });
  };
  return (
    <li className="flex items-start justify-between gap-4 border-t border-line/60 px-5 py-3 text-sm">
      <div className="min-w-0">
        <p className={muted ? "text-muted" : "font-medium"}>{ruleName(rule)}</p>
        <p className="text-xs text-pretty text-muted">{about}</p>
        {problem && (
          <p role="alert" className="text-xs text-bad">
            {problem}
          </p>
        )}
      </div>
      <Switch
        label={`Tell of: ${ruleName(rule)}`}
        checked={!muted}
        words={{ on: "On", off: "Muted" }}
        busy={busy}
        onToggle={() => run(toggle)}
      />
    </li>
  );
};
