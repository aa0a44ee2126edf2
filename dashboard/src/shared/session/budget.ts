import type { OutlookView, SessionView } from "@/api/types.gen";

/** The tokens that a session's budget counts. */
export const countedTokens = ({ usage, budgetCounts }: SessionView): number =>
  budgetCounts === "fresh" ? Math.max(0, usage.total - usage.cacheRead) : usage.total;

/** How near a token budget is to its end. */
export type BudgetLevel = "fine" | "near" | "critical" | "spent";

/** The highest of the shares at which the server alerts, in per cent, that is passed. */
export const passedShare = (used: number, budget: number, alertAt: readonly number[]): number | null =>
  alertAt.filter((share) => used * 100 >= budget * share).at(-1) ?? null;

/** As the server's alerts: the highest of several shares is critical, one that is alone is not. */
export const budgetLevel = (used: number, budget: number, alertAt: readonly number[]): BudgetLevel => {
  if (used >= budget) return "spent";
  const passed = passedShare(used, budget, alertAt);
  if (passed === null) return "fine";
  return alertAt.length > 1 && passed === alertAt.at(-1) ? "critical" : "near";
};

/** `80, 95 and 100 %`. */
export const sharesText = (shares: readonly number[]): string =>
  `${shares.join(", ").replace(/, (?=\d+$)/, " and ")}\u00a0%`;

/** A budget as a bar, in per cent of the bar's width. */
export type BudgetDrawing = {
  used: number;
  /** Where the budget ends: at the bar's end, unless more than it is foretold. */
  budget: number;
  /** Where the session will end with 80 %, as far as the bar reaches. */
  band: { from: number; to: number } | null;
  /** Where it is expected to end, or that the bar does not reach so far. */
  expected: number | "beyond" | null;
};

/** The bar's length in budgets. Few of them, so that it does not breathe with every forecast. */
const LENGTHS = [1, 1.5, 2];

export const budgetDrawing = (used: number, budget: number, outlook: OutlookView | null): BudgetDrawing => {
  const reach = outlook === null ? 0 : Math.max(used, outlook.band80.high);
  const length = budget * (LENGTHS.find((times) => reach <= budget * times) ?? Math.max(...LENGTHS));
  const share = (amount: number): number => Math.min(100, (amount / length) * 100);
  const drawing = { used: share(used), budget: share(budget), band: null, expected: null };
  if (outlook === null) return drawing;
  // A call may have ended since the forecast was made.
  const expected = Math.max(used, outlook.expected);
  return {
    ...drawing,
    band: { from: share(Math.max(used, outlook.band80.low)), to: share(reach) },
    expected: expected > length ? "beyond" : share(expected),
  };
};
