import type { ReactNode } from "react";
import type { SessionView, Totals } from "@/api/types.gen";
import { AheadRows } from "@/features/live/ahead-rows";
import { BudgetBar } from "@/features/live/budget-bar";
import { type Basis, basis, costAhead, tokensAhead } from "@/features/live/forecast";
import { compact, count, money, percent, plural } from "@/shared/format";
import { countedTokens } from "@/shared/session/budget";
import { elapsedAt } from "@/shared/session/elapsed";
import { promptTokens } from "@/shared/session/token-parts";
import { useSeconds } from "@/shared/use-frames";
import type { LiveSession } from "@/store/live-reducer";
import { useLive } from "@/store/live-store";

type MetricCardsProps = { session: LiveSession };

const layouts = {
  plain: {
    grid: "lg:grid-cols-[1.7fr_1fr_1fr_1fr]",
    tokens: "col-span-2 lg:col-span-1",
    cost: "",
    requests: "col-span-2 lg:col-span-1",
  },
  foretold: {
    grid: "lg:grid-cols-[1.5fr_1.3fr_1fr_1fr]",
    tokens: "col-span-2 md:col-span-1",
    cost: "col-span-2 md:col-span-1",
    requests: "",
  },
  /** What is foretold of budgets makes two of them tall: the others stand above each other beside them. */
  budgets: {
    grid: "lg:grid-cols-[1.5fr_1.2fr_1fr]",
    tokens: "col-span-2 md:col-span-1 lg:row-span-2",
    cost: "col-span-2 md:col-span-1 lg:row-span-2",
    requests: "",
  },
} as const;

/** A forecast that comes moves nothing: it has its place as long as one can come. */
const layoutOf = ({ status, tokenBudget, costBudgetNanoUsd }: SessionView) => {
  if (status === "completed") return layouts.plain;
  return tokenBudget === null && costBudgetNanoUsd === null ? layouts.foretold : layouts.budgets;
};

export const MetricCards = ({ session }: MetricCardsProps) => {
  const { view } = session;
  const { usage } = view;
  const elapsed = elapsedAt(session, useSeconds(view.status === "active"));
  const tokens = tokensAhead(view, elapsed);
  const spend = costAhead(view, elapsed);
  const layout = layoutOf(view);
  const isOpen = view.status !== "completed";
  const prompt = promptTokens(usage);
  return (
    <div>
      <dl className={`grid grid-cols-2 gap-3 sm:gap-4 lg:gap-5 ${layout.grid}`}>
        <Card
          label="Tokens"
          value={count(usage.total)}
          aside={<SourceChip usage={usage} />}
          className={layout.tokens}
        >
          {view.tokenBudget === null ? (
            <span className="block min-h-4">
              {usage.total > 0
                ? `${compact(prompt)} in the prompts, ${compact(usage.output)} generated`
                : usage.requests === 0 && "Nothing used yet"}
            </span>
          ) : (
            <BudgetBar
              used={countedTokens(view)}
              budget={view.tokenBudget}
              outlook={tokens.outlook}
              tone={tokens.tone}
              unit={view.budgetCounts === "fresh" ? "fresh tokens" : ""}
            />
          )}
          {isOpen && <AheadRows ahead={tokens} />}
        </Card>
        <Card label="Cost" value={cost(usage)} className={layout.cost}>
          {view.costBudgetNanoUsd === null ? (
            costNote(usage)
          ) : (
            <BudgetBar
              used={usage.costNanoUsd ?? 0}
              budget={view.costBudgetNanoUsd}
              outlook={spend.outlook}
              tone={spend.tone}
              amount={money}
            />
          )}
          {isOpen && <AheadRows ahead={spend} />}
        </Card>
        <Card label="Cache reads" value={percent(usage.cacheRead, prompt)}>
          {prompt === 0 ? "No prompt yet" : `${compact(usage.cacheRead)} of ${compact(prompt)} prompt tokens`}
        </Card>
        <Card label="Calls" value={count(usage.requests)} className={layout.requests}>
          {/* Two lines, whether or not anything runs: a call that begins moves nothing. */}
          <span className="grid min-h-8 content-start">
            {usage.errors > 0 ? (
              <span className="text-bad">{plural(usage.errors, "did not complete", "did not complete")}</span>
            ) : (
              usage.requests > 0 && <span>All complete</span>
            )}
            <Running sessionId={view.id} />
          </span>
        </Card>
      </dl>
      <BasisLine of={basis(view)} />
    </div>
  );
};

/** The calls that run, and about how much they hold so far. */
const Running = ({ sessionId }: { sessionId: string }) => {
  const calls = useLive((live) => live.state.calls);
  const grown = useLive((live) => live.state.grown);
  const running = calls.filter((call) => call.sessionId === sessionId && call.outcome === "running");
  if (running.length === 0) return null;
  const soFar = running.reduce((sum, { id, outputSoFar }) => sum + (grown.get(id) ?? outputSoFar ?? 0), 0);
  return (
    <span className="h-4">
      {/* Of a size of its own: what grows many times a second lays out nothing else. */}
      <span className="inline-block h-4 w-38 align-top whitespace-nowrap [contain:strict]">
        {plural(running.length, "running", "running")}
        {soFar > 0 && (
          <>
            {", "}
            <span aria-hidden="true">≈ </span>
            <span className="sr-only">about </span>
            {compact(soFar)} out
          </>
        )}
      </span>
    </span>
  );
};

/** How far what is foretold can be relied on: as high as what it says at most. */
const BasisLine = ({ of }: { of: Basis | null }) =>
  of && (
    <p className="mt-2.5 min-h-16 px-1 text-xs text-muted sm:min-h-8" data-testid="forecast-basis">
      <span className="font-medium text-ink">{of.lead}</span> {of.rest}
    </p>
  );

const cost = ({ costNanoUsd, unpricedTokens }: Totals): string =>
  costNanoUsd !== null && unpricedTokens > 0 ? `≥ ${money(costNanoUsd)}` : money(costNanoUsd);

const costNote = ({ costNanoUsd, unpricedTokens, total, requests }: Totals): string => {
  if (costNanoUsd === null) return requests === 0 ? "Nothing spent yet" : "No price is known";
  return unpricedTokens > 0 ? `${percent(unpricedTokens, total)} unpriced` : "At the providers’ list prices";
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
    <dd className="mt-1 flex flex-wrap items-baseline justify-between gap-x-3 gap-y-1 text-[1.75rem] leading-tight font-semibold tracking-tight">
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
