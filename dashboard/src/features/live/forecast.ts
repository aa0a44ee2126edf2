/** What is foretold of a session, made ready to be shown. */
import type { BudgetForecast, OutlookView, SessionView } from "@/api/types.gen";
import { compact, money, percent, plural, type Rounding, rough, roughSpan, span } from "@/shared/format";
import { countedTokens } from "@/shared/session/budget";

/** A number and the range that holds the truth with 80 %: for the eye, and in words. */
export type Estimate = { about: string; range: string; words: string };

/** How much a likely overrun matters. */
export type OverrunTone = "calm" | "likely" | "nearly-certain";

/** What is foretold of a session's tokens, or of its cost. */
export type Ahead = {
  /** What it uses in a minute now. */
  rate: string | null;
  /** What stands beside its end. */
  endLabel: string;
  end: Estimate | null;
  /** What there is of a budget. */
  budget: "none" | "left" | "spent";
  /** How long the budget lasts; `null` where there is none left, or none at all. */
  lasts: Estimate | null;
  /** How likely the budget is used up by the end; `null` as well. */
  overrun: string | null;
  /** How much that matters; a budget that is used up matters most. */
  tone: OverrunTone;
  /** What the bar draws. */
  outlook: OutlookView | null;
};

type Measure = {
  used: number;
  budget: number | null;
  perMinute: number | null;
  outlook: OutlookView | null;
  budgetForecast: BudgetForecast | null;
  write: (amount: number) => string;
  /** What is counted, where it is not all. */
  counted: string;
};

/** Of its tokens, `elapsedMs` into the session. */
export const tokensAhead = (view: SessionView, elapsedMs: number): Ahead => {
  const { forecast, burnRate, tokenBudget } = view;
  const countsFresh = tokenBudget !== null && view.budgetCounts === "fresh";
  return ahead(view, elapsedMs, {
    used: countsFresh ? countedTokens(view) : view.usage.total,
    budget: tokenBudget,
    perMinute: burnRate?.tokensPerMinute ?? null,
    outlook: (countsFresh ? forecast?.fresh : forecast?.total) ?? null,
    budgetForecast: forecast?.tokenBudget ?? null,
    write: compact,
    counted: countsFresh ? "fresh" : "",
  });
};

/** Of its cost. */
export const costAhead = (view: SessionView, elapsedMs: number): Ahead => {
  const { forecast, burnRate, usage } = view;
  return ahead(view, elapsedMs, {
    used: usage.costNanoUsd ?? 0,
    budget: view.costBudgetNanoUsd,
    perMinute: burnRate?.nanoUsdPerMinute ?? null,
    outlook: forecast?.costNanoUsd ?? null,
    budgetForecast: forecast?.costBudget ?? null,
    write: money,
    counted: usage.unpricedTokens > 0 ? "priced calls" : "",
  });
};

const ahead = (view: SessionView, elapsedMs: number, measure: Measure): Ahead => {
  const { used, budget, perMinute, outlook, write, counted } = measure;
  const isOpen = view.forecast ? view.forecast.end === "open" : view.duration === null;
  const when = isOpen ? "By a usual end" : "By the end";
  const isLeft = budget !== null && used < budget;
  const budgetForecast = isLeft ? measure.budgetForecast : null;
  const leftMs = view.duration === null ? Infinity : Math.max(0, view.duration - elapsedMs);
  return {
    rate: perMinute === null ? null : `${write(rough(perMinute, "near"))} a minute`,
    endLabel: counted ? `${when}, ${counted}` : when,
    end: outlook && endOf(outlook, used, write),
    budget: budget === null ? "none" : isLeft ? "left" : "spent",
    lasts: budgetForecast && lasting(budgetForecast, leftMs),
    // Nothing that is foretold is certain.
    overrun:
      budgetForecast &&
      `${percent(Math.min(99.5, Math.max(0.5, budgetForecast.overrunPercent)), 100)} likely`,
    tone: budget !== null && used >= budget ? "nearly-certain" : overrunTone(budgetForecast),
    outlook,
  };
};

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

const estimate = (about: string, low: string, high: string): Estimate => ({
  about: `≈ ${about}`,
  range: low === high ? "" : `${low} – ${high}`,
  words: low === high ? `about ${about}` : `about ${about}; with 80 per cent between ${low} and ${high}`,
});

/** Nothing ends below what is used already, however it is rounded. */
const endOf = ({ expected, band80 }: OutlookView, used: number, write: Measure["write"]): Estimate => {
  const text = (amount: number, rounding: Rounding): string => write(Math.max(used, rough(amount, rounding)));
  return estimate(text(expected, "near"), text(band80.low, "down"), text(band80.high, "up"));
};

const plain = (text: string): Estimate => ({ about: text, range: "", words: text });

/** A time past the session's planned end is no time to name, nor is one that is more than a day away. */
const lasting = (
  { timeToLimit: { earlyMs, expectedMs, lateMs } }: BudgetForecast,
  leftMs: number,
): Estimate => {
  const past = leftMs === Infinity ? "more than a day" : "past the end";
  const written = (ms: number | null, rounding: Rounding): string =>
    ms === null || ms >= leftMs ? past : roughSpan(ms, rounding);
  const early = written(earlyMs, "down");
  if (early === past) return plain(past);
  const about = written(expectedMs, "near");
  return about === past ? plain(`${early} at least`) : estimate(about, early, written(lateMs, "up"));
};

const overrunTone = (forecast: BudgetForecast | null): OverrunTone => {
  const chance = forecast?.overrunPercent ?? 0;
  if (chance >= 80) return "nearly-certain";
  return chance >= 50 ? "likely" : "calm";
};

/** What stands behind a forecast. */
export type Basis = { lead: string; rest: string };

/** `null` once the session has ended: nothing is foretold then. */
export const basis = ({ status, forecast, burnRate }: SessionView): Basis | null => {
  if (status === "completed") return null;
  const window = burnRate
    ? `The rate favours recent use: what was used ${span(burnRate.halfLifeMs)} ago counts half.`
    : "";
  if (forecast === null) {
    const comes =
      "It comes with the first ones: where tokens and cost will end, in ranges that hold in 80\u00a0% of cases.";
    return { lead: "No forecast:", rest: `not enough calls yet. ${comes} ${window}`.trim() };
  }
  const { confidence, calls, pastSessions } = forecast;
  const past =
    pastSessions === 0
      ? "general figures, with too few finished sessions of your own"
      : plural(pastSessions, "past session");
  return {
    lead: `${capital(confidence)} confidence:`,
    rest: `from ${plural(calls, "call")} and ${past}. Each range holds in 80\u00a0% of cases. ${window}`.trim(),
  };
};
