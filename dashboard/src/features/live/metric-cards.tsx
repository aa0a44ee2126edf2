import type { ReactNode } from "react";
import type { SessionView, Totals } from "@/api/types.gen";
import { countedTokens } from "@/features/live/budget";
import { BudgetBar } from "@/features/live/budget-bar";
import { promptTokens } from "@/features/live/token-parts";
import { compact, count, money, percent, plural } from "@/shared/format";
import { useLive } from "@/store/live-store";

type MetricCardsProps = { view: SessionView };

export const MetricCards = ({ view }: MetricCardsProps) => {
  const { usage } = view;
  const running = useLive(
    ({ state }) =>
      state.calls.filter((call) => call.sessionId === view.id && call.outcome === "running").length,
  );
  const prompt = promptTokens(usage);
  return (
    <dl className="grid grid-cols-2 gap-3 sm:gap-4 lg:grid-cols-[1.7fr_1fr_1fr_1fr] lg:gap-5">
      <Card
        label="Tokens"
        value={count(usage.total)}
        aside={<SourceChip usage={usage} />}
        className="col-span-2 lg:col-span-1"
      >
        {view.tokenBudget === null ? (
          usage.total > 0 && `${compact(prompt)} in the prompts, ${compact(usage.output)} generated`
        ) : (
          <BudgetBar
            used={countedTokens(view)}
            budget={view.tokenBudget}
            unit={view.budgetCounts === "fresh" ? "fresh tokens" : ""}
          />
        )}
      </Card>
      <Card label="Cost" value={cost(usage)}>
        {view.costBudgetNanoUsd === null ? (
          costNote(usage)
        ) : (
          <BudgetBar used={usage.costNanoUsd ?? 0} budget={view.costBudgetNanoUsd} amount={money} />
        )}
      </Card>
      <Card label="Cache reads" value={percent(usage.cacheRead, prompt)}>
        {prompt === 0 ? "no prompt yet" : `${compact(usage.cacheRead)} of ${compact(prompt)} prompt tokens`}
      </Card>
      <Card label="Requests" value={count(usage.requests)} className="col-span-2 lg:col-span-1">
        {usage.errors > 0 ? (
          <span className="text-bad">{plural(usage.errors, "did not complete", "did not complete")}</span>
        ) : (
          usage.requests > 0 && "all complete"
        )}
        {running > 0 && <span className="ml-2">{plural(running, "running", "running")}</span>}
      </Card>
    </dl>
  );
};

const cost = ({ costNanoUsd, unpricedTokens }: Totals): string =>
  costNanoUsd !== null && unpricedTokens > 0 ? `≥ ${money(costNanoUsd)}` : money(costNanoUsd);

const costNote = ({ costNanoUsd, unpricedTokens, total, requests }: Totals): string => {
  if (costNanoUsd === null) return requests === 0 ? "nothing spent yet" : "no price is known";
  return unpricedTokens > 0 ? `${percent(unpricedTokens, total)} unpriced` : "at the providers’ list prices";
};

type CardProps = {
  label: string;
  value: string;
  aside?: ReactNode;
  children?: ReactNode;
  className?: string;
};

const Card = ({ label, value, aside, children, className = "" }: CardProps) => (
  <div
    className={`card min-w-0 px-4 py-3.5 sm:px-5 sm:py-4 ${className}`}
    data-testid={`card-${label.toLowerCase().replace(" ", "-")}`}
  >
    <dt className="flex min-h-5 flex-wrap items-center justify-between gap-2 text-xs font-medium text-muted">
      {label}
    </dt>
    <dd className="mt-1 flex items-baseline justify-between gap-3 text-[1.75rem] leading-tight font-semibold tracking-tight">
      <span className="min-w-0 truncate">{value}</span>
      {aside}
    </dd>
    <dd className="mt-1.5 min-h-4 text-xs text-muted">{children}</dd>
  </div>
);

type SourceChipProps = { usage: Totals };

/** How far the numbers are the providers' own. */
const SourceChip = ({ usage: { total, inexactTokens, unknownRequests, requests } }: SourceChipProps) => {
  if (requests === 0) return null;
  const parts = [
    total > 0 && (inexactTokens === 0 ? "exact" : `${percent(total - inexactTokens, total)} exact`),
    unknownRequests > 0 && `${plural(unknownRequests, "call")} unknown`,
  ].filter(Boolean);
  const whole = inexactTokens === 0 && unknownRequests === 0;
  return (
    <span
      title="How much of this the providers said themselves; the rest was counted here."
      className="inline-flex h-6 shrink-0 items-center gap-1.5 self-center rounded-full bg-sunken px-2.5 text-xs font-medium tracking-normal text-muted"
    >
      <span className={`size-1.5 rounded-full ${whole ? "bg-good" : "bg-warn-fill"}`} aria-hidden="true" />
      {parts.join(" · ")}
    </span>
  );
};
