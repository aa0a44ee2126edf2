import { budgetLevel } from "@/features/live/budget";
import { compact, percent } from "@/shared/format";

const fill = { fine: "bg-accent", near: "bg-warn-fill", critical: "bg-bad", spent: "bg-bad" } as const;
const text = { fine: "", near: "text-warn", critical: "text-bad", spent: "text-bad" } as const;

type BudgetBarProps = {
  used: number;
  budget: number;
  /** How an amount is written; tokens if nothing is said. */
  amount?: (value: number) => string;
  /** What is counted, where it is not all. */
  unit?: string;
};

export const BudgetBar = ({ used, budget, amount = compact, unit = "" }: BudgetBarProps) => {
  const level = budgetLevel(used, budget);
  const rest = level === "spent" ? `${amount(used - budget)} over` : `${amount(budget - used)} left`;
  return (
    <>
      <span
        className="relative mt-1 mb-2 block h-1.5 overflow-hidden rounded-full bg-sunken"
        aria-hidden="true"
      >
        <span
          className={`block h-full rounded-full transition-[width] duration-500 ${fill[level]}`}
          style={{ width: `${Math.min(100, (used / budget) * 100)}%` }}
        />
        <span className="absolute inset-y-0 left-[80%] w-px bg-surface" />
        <span className="absolute inset-y-0 left-[95%] w-px bg-surface" />
      </span>
      <span className="flex flex-wrap justify-between gap-x-3">
        <span className={`font-medium ${text[level]}`}>
          {percent(used, budget)} of {amount(budget)}
          {unit && ` ${unit}`}
        </span>
        <span className={text[level]}>{rest}</span>
      </span>
    </>
  );
};
