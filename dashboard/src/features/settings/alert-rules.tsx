import type { AlertRule, AlertRules } from "@/api/answers";
import { ruleName } from "@/shared/alerts";
import { muteRule } from "@/shared/api-client";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
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
  const { problem, run } = useAction();
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
      <button
        type="button"
        role="switch"
        aria-checked={!muted}
        aria-label={`Tell of: ${ruleName(rule)}`}
        onClick={() => run(toggle)}
        className="group mt-0.5 inline-flex shrink-0 items-center gap-2 rounded-full text-xs text-muted"
      >
        {muted ? "Muted" : "On"}
        <span className="flex h-5 w-9 items-center rounded-full border border-control bg-sunken p-0.5 group-aria-checked:border-accent group-aria-checked:bg-accent">
          <span className="size-3.5 rounded-full bg-control transition-transform group-aria-checked:translate-x-4 group-aria-checked:bg-on-accent" />
        </span>
      </button>
    </li>
  );
};
