import type { SessionView } from "@/api/types.gen";

/** The tokens that a session's budget counts. */
export const countedTokens = ({ usage, budgetCounts }: SessionView): number =>
  budgetCounts === "fresh" ? Math.max(0, usage.total - usage.cacheRead) : usage.total;

/** How near a token budget is to its end. */
export type BudgetLevel = "fine" | "near" | "critical" | "spent";

export const budgetLevel = (used: number, budget: number): BudgetLevel => {
  if (used >= budget) return "spent";
  if (used >= budget * 0.95) return "critical";
  return used >= budget * 0.8 ? "near" : "fine";
};
