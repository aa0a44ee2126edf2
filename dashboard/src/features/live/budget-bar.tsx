import type { OutlookView } from "@/api/types.gen";
import type { OverrunTone } from "@/features/live/forecast";
import { compact, percent } from "@/shared/format";
import { type BudgetDrawing, budgetDrawing, budgetLevel } from "@/shared/session/budget";
import { useLive } from "@/store/live-store";

const fill = { fine: "bg-accent", near: "bg-warn-fill", critical: "bg-bad", spent: "bg-bad" } as const;
const text = { fine: "", near: "text-warn", critical: "text-bad", spent: "text-bad" } as const;
const band = {
  calm: "bg-accent/35",
  likely: "bg-warn-fill/40",
  "nearly-certain": "bg-bad/40",
} as const;
const stroke = { calm: "stroke-accent", likely: "stroke-warn-fill", "nearly-certain": "stroke-bad" } as const;

type BudgetBarProps = {
  used: number;
  budget: number;
  /** Where it will end, if that is foretold. */
  outlook?: OutlookView | null;
  tone?: OverrunTone;
  /** How an amount is written; tokens if nothing is said. */
  amount?: (value: number) => string;
  /** What is counted, where it is not all. */
  unit?: string;
};

export const BudgetBar = ({
  used,
  budget,
  outlook = null,
  tone = "calm",
  amount = compact,
  unit = "",
}: BudgetBarProps) => {
  const alertAt = useLive((live) => live.state.alertAt);
  const level = budgetLevel(used, budget, alertAt);
  const rest = level === "spent" ? `${amount(used - budget)} over` : `${amount(budget - used)} left`;
  const drawing = budgetDrawing(used, budget, outlook);
  return (
    <>
      <span className="relative mb-1.5 flex h-3.5 items-center" aria-hidden="true" data-testid="budget-bar">
        <span className="relative block h-1.5 w-full overflow-hidden rounded-full bg-sunken">
          {drawing.band && <Stretch {...drawing.band} className={band[tone]} />}
          <span
            className={`absolute inset-y-0 left-0 transition-[width] duration-500 ${fill[level]}`}
            style={{ width: `${drawing.used}%` }}
          />
          {alertAt.map((share) => (
            <span
              key={share}
              className="absolute inset-y-0 w-px bg-surface"
              style={{ left: `${(drawing.budget * share) / 100}%` }}
              data-testid="alert-at"
            />
          ))}
        </span>
        <Marks {...drawing} tone={tone} />
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

const Stretch = ({ from, to, className }: { from: number; to: number; className: string }) => (
  <span
    className={`absolute inset-y-0 transition-[left,width] duration-500 ${className}`}
    style={{ left: `${from}%`, width: `${to - from}%` }}
    data-testid="band"
  />
);

/** Where the budget ends, if the bar goes on behind it, and where the session is expected to end. */
const Marks = ({ budget, expected, tone }: BudgetDrawing & { tone: OverrunTone }) => (
  <>
    {budget < 100 && (
      <span
        className="absolute inset-y-0 -ml-px border-l-2 border-dotted border-muted"
        style={{ left: `${budget}%` }}
      />
    )}
    {typeof expected === "number" && (
      <span
        className="absolute inset-y-0 -ml-0.5 w-[3px] rounded-full bg-ink ring-1 ring-surface transition-[left] duration-500"
        style={{ left: `min(${expected}%, 100% - 1px)` }}
        data-testid="expected"
      />
    )}
    {expected === "beyond" && (
      <svg
        viewBox="0 0 12 14"
        className={`absolute right-0 h-full bg-surface pl-1 ${stroke[tone]}`}
        fill="none"
        strokeWidth="2"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        data-testid="beyond"
      >
        <path d="M1 3l4 4-4 4M7 3l4 4-4 4" />
      </svg>
    )}
  </>
);
