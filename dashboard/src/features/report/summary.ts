/**
 * What happened in a session, as sentences. Pure.
 */
import type { PastView, Reconciliation, SessionView, Totals } from "@/api/types.gen";
import { compact, money, percent, plural, span } from "@/shared/format";
import { countedTokens } from "@/shared/session/budget";
import { promptTokens } from "@/shared/session/token-parts";

type Told = {
  view: SessionView;
  /** The session's time now. */
  elapsedMs: number;
  /** The server's wall clock now. */
  now: number;
  past: PastView | undefined;
};

/** In the order in which one would tell it; what there is nothing to say of is left out. */
export const summary = (told: Told): string[] =>
  [timeOf(told), useOf(told.view), endingsOf(told.view.usage), budgetOf(told.view), pastOf(told.past)].filter(
    (sentence) => sentence !== "",
  );

/** What is neither run nor trimmed was paused. */
const pausedMs = ({ view, elapsedMs, now }: Told): number =>
  Math.max(0, (view.endedAt ?? now) - view.startedAt - elapsedMs - view.trimmedMs);

const MINUTE = 60_000;

const timeOf = (told: Told): string => {
  const { view, elapsedMs } = told;
  const paused = pausedMs(told);
  const verb = view.status === "completed" ? "It ran for" : "It has run for";
  return [
    `${verb} ${span(elapsedMs)}`,
    view.duration === null ? "" : ` of the ${span(view.duration)} planned`,
    paused < MINUTE ? "" : `, and was paused for ${span(paused)}`,
    view.trimmedMs < MINUTE ? "" : `; ${span(view.trimmedMs)} were taken out`,
    ".",
  ].join("");
};

const useOf = ({ usage }: SessionView): string => {
  if (usage.requests === 0) return "It made no calls.";
  const prompt = promptTokens(usage);
  return [
    `${plural(usage.requests, "call")} used ${compact(usage.total)} tokens`,
    usage.cacheRead === 0 ? "" : `, ${percent(usage.cacheRead, prompt)} of the prompts from a cache`,
    costOf(usage),
    ".",
  ].join("");
};

const costOf = ({ costNanoUsd, unpricedTokens, total }: Totals): string => {
  if (costNanoUsd === null) return "; no price is known for them";
  const rest = unpricedTokens === 0 ? "" : `; ${percent(unpricedTokens, total)} of the tokens have no price`;
  return `, and cost ${unpricedTokens === 0 ? "" : "at least "}${money(costNanoUsd)}${rest}`;
};

const endingsOf = ({ requests, errors }: Totals): string => {
  if (requests === 0) return "";
  if (errors === 0) return "All of them completed.";
  return `${plural(errors, "call")} did not complete.`;
};

const budgetOf = (view: SessionView): string => {
  const { tokenBudget, costBudgetNanoUsd, usage, budgetCounts } = view;
  const tokens =
    tokenBudget === null
      ? ""
      : within(
          countedTokens(view),
          tokenBudget,
          `${compact(tokenBudget)} ${budgetCounts === "fresh" ? "fresh " : ""}tokens`,
        );
  const cost =
    costBudgetNanoUsd === null || usage.costNanoUsd === null
      ? ""
      : within(usage.costNanoUsd, costBudgetNanoUsd, money(costBudgetNanoUsd));
  const parts = [tokens, cost].filter(Boolean);
  return parts.length === 0 ? "" : `It used ${parts.join(", and ")}.`;
};

const within = (used: number, budget: number, written: string): string =>
  `${percent(used, budget)} of its budget of ${written}`;

const pastOf = (past: PastView | undefined): string => past?.now?.total.says ?? "";

/** How far its numbers are the providers' own. */
export const auditText = ({ tokensUsed, uncertain }: Reconciliation): string => {
  if (tokensUsed === 0 && uncertain.requests === 0) return "Nothing was counted yet.";
  if (uncertain.requests === 0) return "Every number is the provider’s own.";
  const exact = Math.max(0, tokensUsed - uncertain.tokens);
  return `${percent(exact, tokensUsed)} of the tokens are the providers’ own numbers; ${plural(uncertain.requests, "call is", "calls are")} not certain.`;
};
