/** How near a token budget is to its end. */
export type BudgetLevel = "fine" | "near" | "critical" | "spent";

export const budgetLevel = (used: number, budget: number): BudgetLevel => {
  if (used >= budget) return "spent";
  if (used >= budget * 0.95) return "critical";
  return used >= budget * 0.8 ? "near" : "fine";
};
