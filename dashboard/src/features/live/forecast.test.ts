import { describe, expect, it } from "vitest";
import type { ForecastView, OutlookView, SessionView, TimeToLimitView } from "@/api/types.gen";
import { basis, costAhead, tokensAhead } from "@/features/live/forecast";
import { budgetDrawing } from "@/shared/session/budget";
import { noTotals } from "@/store/live-reducer";

const MINUTE = 60_000;

const outlook = (spent: number, expected: number, low: number, high: number): OutlookView => ({
  spent,
  perMinute: 0,
  expected,
  band50: { low: expected, high: expected },
  band80: { low, high },
  band95: { low: spent, high: high * 2 },
});

const limit = (early: number | null, expected: number | null, late: number | null): TimeToLimitView => ({
  earlyMs: early && early * MINUTE,
  expectedMs: expected && expected * MINUTE,
  lateMs: late && late * MINUTE,
});

const forecast = (change: Partial<ForecastView> = {}): ForecastView => ({
  total: outlook(1_000_000, 1_512_000, 1_239_000, 2_210_000),
  fresh: outlook(100_000, 150_000, 120_000, 200_000),
  costNanoUsd: outlook(2e9, 3.14e9, 2.56e9, 4.41e9),
  tokenBudget: { overrunPercent: 34, timeToLimit: limit(20, 41, 73) },
  costBudget: null,
  confidence: "low",
  calls: 7,
  pastSessions: 0,
  end: "planned",
  ...change,
});

const session = (change: Partial<SessionView> = {}): SessionView =>
  ({
    status: "active",
    duration: 120 * MINUTE,
    tokenBudget: 2_000_000,
    budgetCounts: "all",
    costBudgetNanoUsd: null,
    usage: { ...noTotals, requests: 7, total: 1_000_000, cacheRead: 900_000, costNanoUsd: 2e9 },
    burnRate: {
      tokensPerMinute: 41_499,
      nanoUsdPerMinute: 0.0826e9,
      callsPerHour: 9,
      halfLifeMs: 5 * MINUTE,
    },
    forecast: forecast(),
    ...change,
  }) as SessionView;

/** How long the token budget lasts, half an hour into two hours. */
const lasts = (early: number | null, expected: number | null, late: number | null) => {
  const tokenBudget = { overrunPercent: 34, timeToLimit: limit(early, expected, late) };
  const { about, range } = tokensAhead(session({ forecast: forecast({ tokenBudget }) }), 30 * MINUTE)
    .lasts ?? {
    about: "",
    range: "",
  };
  return `${about} ${range}`.trim().replaceAll("\u00a0", " ");
};

describe("what is foretold", () => {
  it("is rounded to what it is worth, and its range outward", () => {
    const { rate, endLabel, end } = tokensAhead(session(), 30 * MINUTE);
    expect(rate).toBe("41k a minute");
    expect(endLabel).toBe("By the end");
    expect(end).toEqual({
      about: "≈ 1.5M",
      range: "1.2M – 2.3M",
      words: "about 1.5M; with 80 per cent between 1.2M and 2.3M",
    });
  });

  it("of the cost is money, and says where calls without a price are left out", () => {
    const { rate, end, endLabel } = costAhead(session(), 0);
    expect(rate).toBe("$0.083 a minute");
    expect(end?.range).toBe("$2.50 – $4.50");
    expect(endLabel).toBe("By the end");
    const usage = { ...session().usage, unpricedTokens: 1 };
    expect(costAhead(session({ usage }), 0).endLabel).toBe("By the end, priced calls");
  });

  it("is never less than what is used", () => {
    const usage = { ...session().usage, total: 1_280_000 };
    expect(tokensAhead(session({ usage }), 0).end?.range).toBe("1.2M – 2.3M");
    const spent = { ...session().usage, costNanoUsd: 2.58e9 };
    expect(costAhead(session({ usage: spent }), 0).end?.range).toBe("$2.58 – $4.50");
  });

  it("is about the tokens that the budget counts", () => {
    const { end, endLabel } = tokensAhead(session({ budgetCounts: "fresh" }), 0);
    expect(end?.about).toBe("≈ 150k");
    expect(endLabel).toBe("By the end, fresh");
  });

  it("of an open end is that of a usual one", () => {
    const view = session({ duration: null, forecast: forecast({ end: "open" }) });
    expect(tokensAhead(view, 0).endLabel).toBe("By a usual end");
  });

  it("is nothing before there is any", () => {
    const ahead = tokensAhead(session({ burnRate: null, forecast: null }), 0);
    expect(ahead).toMatchObject({ rate: null, end: null, lasts: null, overrun: null, outlook: null });
    // What will be said has its place and its name already.
    expect(ahead).toMatchObject({ endLabel: "By the end", budget: "left" });
    const open = tokensAhead(session({ forecast: null, duration: null, tokenBudget: null }), 0);
    expect(open).toMatchObject({ endLabel: "By a usual end", budget: "none" });
  });
});

describe("a budget lasts", () => {
  it.each([
    [20, 41, 73, "≈ 41 min 20 min – 1 h 15 min"],
    [20, 41, 95, "≈ 41 min 20 min – past the end"],
    [20, 41, null, "≈ 41 min 20 min – past the end"],
    [20, 91, 200, "20 min at least"],
    [20, null, null, "20 min at least"],
    [90, 91, 200, "past the end"],
    [null, null, null, "past the end"],
    [0.4, 0.9, 1.2, "≈ 1 min <1 min – 2 min"],
  ])("%s, %s, %s minutes of 90 left: %s", (early, expected, late, text) =>
    expect(lasts(early, expected, late)).toBe(text),
  );

  it("more than a day, where no end is planned", () => {
    const tokenBudget = { overrunPercent: 0, timeToLimit: limit(null, null, null) };
    const view = session({ duration: null, forecast: forecast({ tokenBudget }) });
    expect(tokensAhead(view, 0).lasts?.about).toBe("more than a day");
  });

  it("no longer once it is used up", () => {
    const ahead = tokensAhead(session({ tokenBudget: 1_000_000 }), 0);
    expect(ahead.budget).toBe("spent");
    expect(ahead.lasts).toBeNull();
    expect(ahead.overrun).toBeNull();
    expect(ahead.tone).toBe("nearly-certain");
    expect(ahead.end).not.toBeNull();
  });
});

it.each([
  [0, "<1\u00a0% likely", "calm"],
  [49, "49\u00a0% likely", "calm"],
  [50, "50\u00a0% likely", "likely"],
  [80, "80\u00a0% likely", "nearly-certain"],
  [100, ">99\u00a0% likely", "nearly-certain"],
])("an overrun with %s per cent is %s, %s", (overrunPercent, text, tone) => {
  const tokenBudget = { overrunPercent, timeToLimit: limit(1, 2, 3) };
  expect(tokensAhead(session({ forecast: forecast({ tokenBudget }) }), 0)).toMatchObject({
    overrun: text,
    tone,
  });
});

describe("what stands behind a forecast", () => {
  const said = (change: Partial<SessionView>) => {
    const of = basis(session(change));
    return of && `${of.lead} ${of.rest}`.replaceAll("\u00a0", " ").trim();
  };

  it("is said with its confidence and the rate's window", () => {
    expect(said({})).toBe(
      "Low confidence: from 7 calls and general figures, with too few finished sessions of your own. " +
        "Each range holds in 80 % of cases. " +
        "The rate favours recent use: what was used 5 min ago counts half.",
    );
    expect(said({ forecast: forecast({ pastSessions: 12 }) })).toContain(
      "from 7 calls and 12 past sessions.",
    );
  });

  it("is too little at first, and nothing once the session is over", () => {
    expect(said({ forecast: null, burnRate: null })).toBe(
      "No forecast: not enough calls yet. It comes with the first ones: where tokens and cost will end, " +
        "in ranges that hold in 80 % of cases.",
    );
    expect(said({ forecast: null, burnRate: null, status: "completed" })).toBeNull();
  });
});

describe("a budget's bar", () => {
  it("ends where the budget does, as long as no more is foretold", () => {
    expect(budgetDrawing(30, 100, null)).toEqual({ used: 30, budget: 100, band: null, expected: null });
    expect(budgetDrawing(130, 100, null).used).toBe(100);
    expect(budgetDrawing(30, 100, outlook(30, 60, 50, 100))).toEqual({
      used: 30,
      budget: 100,
      band: { from: 50, to: 100 },
      expected: 60,
    });
  });

  it("goes on behind the budget for what is foretold there, in steps", () => {
    expect(budgetDrawing(30, 100, outlook(30, 120, 60, 150))).toMatchObject({
      used: 20,
      band: { from: 40, to: 100 },
      expected: 80,
    });
    expect(budgetDrawing(30, 100, outlook(30, 120, 60, 151)).budget).toBe(50);
  });

  it("does not reach for ever, and says where the end is beyond it", () => {
    expect(budgetDrawing(30, 100, outlook(30, 250, 100, 900))).toEqual({
      used: 15,
      budget: 50,
      band: { from: 50, to: 100 },
      expected: "beyond",
    });
  });

  it("never foretells less than was used since", () => {
    expect(budgetDrawing(70, 100, outlook(30, 60, 50, 65))).toMatchObject({
      band: { from: 70, to: 70 },
      expected: 70,
    });
  });
});
