import { useState } from "react";
import type { BudgetsPage, BudgetView } from "@/api/types.gen";
import { BudgetDialog } from "@/features/settings/budget-dialog";
import { budgetOf, countedOf } from "@/features/settings/budget-terms";
import { deleteBudget } from "@/shared/api-client";
import { compact, countdown, money, percent } from "@/shared/format";
import { budgetLevel, sharesText } from "@/shared/session/budget";
import { Button } from "@/shared/ui/button";
import { EmptyState } from "@/shared/ui/empty-state";
import { Loaded } from "@/shared/ui/loaded";
import { Panel } from "@/shared/ui/panel";
import { SkeletonRows } from "@/shared/ui/skeleton";
import { useAction } from "@/shared/use-action";
import { useSeconds } from "@/shared/use-frames";
import { serverNow, useLive } from "@/store/live-store";
import { queryClient, useRead } from "@/store/query-client";

const refresh = (): Promise<void> => queryClient.invalidateQueries({ queryKey: ["budgets"] });

/** Budgets that begin anew every day, week or month. */
export const BudgetsPanel = () => {
  const page = useRead<BudgetsPage>("budgets", "/api/budgets");
  const [edited, setEdited] = useState<BudgetView | "new">();
  const alertAt = useLive((live) => live.state.alertAt);
  const add = <Button onClick={() => setEdited("new")}>Add a budget</Button>;
  return (
    <Panel title="Budgets" aside={(page.data?.budgets.length ?? 0) > 0 && add}>
      <Loaded of={page} skeleton={<SkeletonRows rows={2} height="h-27" />}>
        {({ budgets }) =>
          budgets.length === 0 ? (
            <EmptyState title="No budget yet" action={add}>
              A budget for a day, a week or a month, in tokens or money, over all sessions. You hear of it at{" "}
              {sharesText([...alertAt, 100])}; it can refuse calls once it is used up.
            </EmptyState>
          ) : (
            <ul className="pb-1">
              {budgets.map((budget) => (
                <Row key={budget.id} budget={budget} onEdit={() => setEdited(budget)} />
              ))}
            </ul>
          )
        }
      </Loaded>
      {edited && (
        <BudgetDialog
          budget={edited === "new" ? null : edited}
          onClose={() => setEdited(undefined)}
          onSaved={() => {
            setEdited(undefined);
            void refresh();
          }}
        />
      )}
    </Panel>
  );
};

const Row = ({ budget, onEdit }: { budget: BudgetView; onEdit: () => void }) => {
  const clock = useLive((live) => live.state.clock);
  const now = serverNow(clock, Math.max(useSeconds(true), clock.receivedAt));
  const [asks, setAsks] = useState(false);
  const { problem, run } = useAction();
  const { name, tokenBudget, costBudgetNanoUsd, usage, budgetCounts, atLimit, blocks, to } = budget;
  const remove = async (): Promise<void> => {
    await deleteBudget(budget.id);
    await refresh();
  };
  return (
    <li data-testid="budget" className="border-t border-line/60 px-5 py-4">
      <div className="flex flex-wrap items-start justify-between gap-x-4 gap-y-1">
        <div className="min-w-0">
          <p className="text-sm font-medium break-words">{name}</p>
          <p className="text-xs text-muted">
            {budgetOf(budget)} · resets in {countdown(to - now)}
            {atLimit === "block" && (
              <span className={blocks ? "font-medium text-bad" : ""}>
                {blocks ? " · refuses calls now" : " · refuses calls when it is used up"}
              </span>
            )}
          </p>
        </div>
        <div className="-mr-2.5 flex">
          {asks ? (
            <>
              <Button variant="quiet" size="small" className="text-bad" onClick={() => run(remove)}>
                Yes, delete it
              </Button>
              <Button variant="quiet" size="small" onClick={() => setAsks(false)}>
                Keep it
              </Button>
            </>
          ) : (
            <>
              <Button variant="quiet" size="small" aria-label={`Edit ${name}`} onClick={onEdit}>
                Edit
              </Button>
              <Button
                variant="quiet"
                size="small"
                aria-label={`Delete ${name}`}
                onClick={() => setAsks(true)}
              >
                Delete
              </Button>
            </>
          )}
        </div>
      </div>
      <div className="mt-2 grid gap-x-8 gap-y-2 md:grid-cols-2">
        {tokenBudget !== null && (
          <Bar
            used={countedOf(budget)}
            of={tokenBudget}
            write={compact}
            unit={budgetCounts === "fresh" ? "tokens, cache reads left out" : "tokens"}
          />
        )}
        {costBudgetNanoUsd !== null && (
          <Bar used={usage.costNanoUsd ?? 0} of={costBudgetNanoUsd} write={money} unit="" />
        )}
      </div>
      {problem && (
        <p role="alert" className="mt-1 text-sm text-bad">
          {problem}
        </p>
      )}
    </li>
  );
};

const fill = { fine: "bg-accent", near: "bg-warn-fill", critical: "bg-bad", spent: "bg-bad" } as const;

type BarProps = { used: number; of: number; write: (value: number) => string; unit: string };

const Bar = ({ used, of, write, unit }: BarProps) => {
  const alertAt = useLive((live) => live.state.alertAt);
  return (
    <div>
      <span className="block h-2 overflow-hidden rounded-full bg-sunken" aria-hidden="true">
        <span
          className={`block h-full rounded-full ${fill[budgetLevel(used, of, alertAt)]}`}
          style={{ width: `${Math.min(100, (used / of) * 100)}%` }}
        />
      </span>
      <p className="mt-1 text-xs text-muted">
        <span className="text-ink">{percent(used, of)}</span> used: {write(used)} of {write(of)} {unit}
      </p>
    </div>
  );
};
