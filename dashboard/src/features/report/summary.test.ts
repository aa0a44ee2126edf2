import { describe, expect, it } from "vitest";
import type { SessionView, Totals } from "@/api/types.gen";
import { auditText, summary } from "@/features/report/summary";

const MINUTE = 60_000;

const usage = (change: Partial<Totals> = {}): Totals =>
  ({
    requests: 12,
    errors: 0,
    input: 100_000,
    cacheRead: 300_000,
    cacheWrite: 0,
    total: 410_000,
    costNanoUsd: 1_500_000_000,
    unpricedTokens: 0,
    ...change,
  }) as Totals;

const told = (change: Partial<SessionView> = {}, past: Parameters<typeof summary>[0]["past"] = undefined) =>
  summary({
    view: {
      status: "completed",
      startedAt: 0,
      endedAt: 90 * MINUTE,
      trimmedMs: 0,
      duration: null,
      tokenBudget: null,
      budgetCounts: "all",
      costBudgetNanoUsd: null,
      usage: usage(),
      ...change,
    } as SessionView,
    elapsedMs: 60 * MINUTE,
    now: 0,
    past,
  }).map((sentence) => sentence.replaceAll("\u00a0", " "));

describe("what happened", () => {
  it("is told in the order in which one would ask", () => {
    expect(told()).toEqual([
      "It ran for 1 h, and was paused for 30 min.",
      "12 calls used 410k tokens, 75 % of the prompts from a cache, and cost $1.50.",
      "All of them completed.",
    ]);
  });

  it("says what was planned and taken out", () => {
    expect(told({ duration: 120 * MINUTE, trimmedMs: 30 * MINUTE })[0]).toBe(
      "It ran for 1 h of the 2 h planned; 30 min were taken out.",
    );
  });

  it("never says less than it cost", () => {
    expect(told({ usage: usage({ unpricedTokens: 41_000 }) })[1]).toContain(
      "cost at least $1.50; 10 % of the tokens have no price",
    );
    expect(told({ usage: usage({ costNanoUsd: null }) })[1]).toContain("no price is known for them");
  });

  it("says what did not go well, and how far the budgets were used", () => {
    const sentences = told({
      usage: usage({ errors: 1 }),
      tokenBudget: 200_000,
      costBudgetNanoUsd: 3_000_000_000,
    });
    expect(sentences[2]).toBe("1 call did not complete.");
    expect(sentences[3]).toBe("It used 205 % of its budget of 200k tokens, and 50 % of its budget of $3.00.");
  });

  it("says so where nothing was asked", () => {
    expect(told({ usage: usage({ requests: 0, total: 0 }) })).toContain("It made no calls.");
  });
});

describe("the audit", () => {
  const sources = (tokensUsed: number, requests: number, tokens: number): string =>
    auditText({ tokensUsed, uncertain: { requests, tokens }, bySource: [], pausedTokens: 0 }).replaceAll(
      "\u00a0",
      " ",
    );

  it("says how much is the provider's word", () => {
    expect(sources(100, 0, 0)).toBe("Every number is the provider’s own.");
    expect(sources(100, 2, 30)).toBe(
      "70 % of the tokens are the providers’ own numbers; 2 calls are not certain.",
    );
    expect(sources(0, 0, 0)).toContain("Nothing");
  });
});
