/**
 * What is typed into a budget's form, as its terms; and how a budget is told. Pure.
 */
import type { BudgetView, Period } from "@/api/types.gen";
import type { BudgetTerms } from "@/shared/api-client";
import { parseBudget, parseMoney } from "@/shared/parse";

export type TermField = keyof BudgetTerms;
export type TermProblems = Partial<Record<TermField, string>>;

export const periods: { value: Period; label: string; each: string }[] = [
  { value: "day", label: "Day", each: "Each day" },
  { value: "week", label: "Week", each: "Each week" },
  { value: "month", label: "Month", each: "Each month" },
];

const isPeriod = (text: string): text is Period => periods.some(({ value }) => value === text);

export const termsOf = (form: FormData): { terms: BudgetTerms } | { problems: TermProblems } => {
  const text = (field: TermField): string => String(form.get(field) ?? "").trim();
  const only = (field: TermField): string | null => text(field) || null;
  const tokens = parseBudget(text("tokenBudget"));
  const cost = parseMoney(text("costBudgetNanoUsd"));
  const period = text("period");
  if (text("name") === "")
    return { problems: { name: "Give it a name, so that alerts can say which it is." } };
  if ("problem" in tokens) return { problems: { tokenBudget: tokens.problem } };
  if ("problem" in cost) return { problems: { costBudgetNanoUsd: cost.problem } };
  if (tokens.value === null && cost.value === null) {
    return { problems: { tokenBudget: "Give tokens, money or both." } };
  }
  return {
    terms: {
      name: text("name"),
      period: isPeriod(period) ? period : "day",
      provider: only("provider"),
      model: only("model"),
      client: only("client"),
      tokenBudget: tokens.value,
      budgetCounts: text("budgetCounts") === "fresh" ? "fresh" : "all",
      costBudgetNanoUsd: cost.value,
      atLimit: text("atLimit") === "block" ? "block" : "alert",
    },
  };
};

/** `Each week · openai · gpt-5.1` */
export const budgetOf = ({ period, provider, model, client }: BudgetView): string =>
  [periods.find(({ value }) => value === period)?.each, provider, model, client].filter(Boolean).join(" · ");

/** The tokens that it counts. */
export const countedOf = ({ usage, budgetCounts }: BudgetView): number =>
  budgetCounts === "fresh" ? Math.max(0, usage.total - usage.cacheRead) : usage.total;

/** Money as it can be typed: `12.5`. */
export const moneyText = (nanoUsd: number | null): string => (nanoUsd === null ? "" : String(nanoUsd / 1e9));
