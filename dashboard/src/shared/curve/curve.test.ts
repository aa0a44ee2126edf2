import { describe, expect, it } from "vitest";
import type { CurvePoint, ForecastView, OutlookView, PastBand } from "@/api/types.gen";
import { type Cumulative, cumulativeChart } from "@/shared/curve/cumulative";
import { rateChart, rates } from "@/shared/curve/rate";

const MINUTE = 60_000;

const point = (minute: number, total: number, fresh = total): CurvePoint => ({
  atMs: minute * MINUTE,
  calls: 0,
  total,
  fresh,
  costNanoUsd: null,
});

const outlook = (spent: number, expected: number): OutlookView => ({
  spent,
  perMinute: 100,
  expected,
  band50: { low: expected - 50, high: expected + 50 },
  band80: { low: expected - 100, high: expected + 100 },
  band95: { low: expected - 200, high: expected + 200 },
});

const told = (change: Partial<Cumulative> = {}): Cumulative => ({
  points: [point(0, 0), point(5, 400), point(10, 1_000)],
  measure: "total",
  elapsedMs: 12 * MINUTE,
  duration: null,
  budget: null,
  forecast: null,
  checkpoints: [],
  past: [],
  ...change,
});

const forecast = (total: OutlookView): ForecastView =>
  ({ total, fresh: total, costNanoUsd: null }) as ForecastView;

describe("the cumulative chart", () => {
  it("goes on to now where nothing was used since the last point", () => {
    const { model, text } = cumulativeChart(told());
    const [line] = model.series;
    expect(line?.points.at(-1)).toEqual({ x: 12 * MINUTE, y: 1_000 });
    expect(model.x.max).toBe(12 * MINUTE);
    expect(text.summary).toBe("1k tokens after 12 min.".replaceAll("12 min", "12\u00a0min"));
  });

  it("ends where the plan does, and the fan ends there too", () => {
    const { model } = cumulativeChart(
      told({ duration: 60 * MINUTE, forecast: forecast(outlook(1_000, 5_000)) }),
    );
    expect(model.x.max).toBe(60 * MINUTE);
    const band = model.series.find(({ label }) => label === "80 % range");
    expect(band?.points).toEqual([
      { x: 12 * MINUTE, low: 1_000, high: 1_000 },
      { x: 60 * MINUTE, low: 4_900, high: 5_100 },
    ]);
  });

  it("takes an open end from how long the rest will take", () => {
    const { model } = cumulativeChart(told({ forecast: forecast(outlook(1_000, 2_000)) }));
    expect(model.x.max).toBe(22 * MINUTE);
  });

  it("never foretells less than is used", () => {
    const { model } = cumulativeChart(told({ duration: 60 * MINUTE, forecast: forecast(outlook(900, 950)) }));
    const band = model.series.find(({ kind }) => kind === "band");
    expect(band?.points.at(-1)).toMatchObject({ low: 1_000 });
  });

  it("draws a budget that is in sight, and says one that is not", () => {
    expect(cumulativeChart(told({ budget: 1_500 })).model.limit?.y).toBe(1_500);
    const far = cumulativeChart(told({ budget: 90_000 }));
    expect(far.model.limit).toBeUndefined();
    expect(far.text.summary).toContain("the budget of 90k is far above");
  });

  it("is not pressed flat by a forecast far above the budget", () => {
    const wild = { budget: 1_500, duration: 60 * MINUTE, forecast: forecast(outlook(1_000, 90_000)) };
    expect(cumulativeChart(told(wild)).model.y.max).toBe(5_000);
    expect(cumulativeChart(told({ ...wild, budget: null })).model.y.max).toBe(100_000);
  });

  it("shows what is usual as far as the axis goes", () => {
    const usual = (minute: number, median: number) => ({
      atMs: minute * MINUTE,
      total: { low: 0, median, high: 9_000 },
    });
    const past = [usual(0, 0), usual(10, 1_800), usual(20, 3_000)] as PastBand[];
    const { model } = cumulativeChart(told({ past }));
    const median = model.series.find(({ label }) => label === "Your median");
    expect(median?.points.map(({ x }) => x / MINUTE)).toEqual([0, 10]);
    expect(model.y.max).toBe(2_000);
  });

  it("has as many rows as one wants to hear", () => {
    const points = Array.from({ length: 301 }, (_, minute) => point(minute, minute));
    expect(cumulativeChart(told({ points, elapsedMs: 300 * MINUTE })).text.rows).toHaveLength(12);
  });
});

describe("tokens a minute", () => {
  it("are the curve's rise, whatever the distance of its points", () => {
    const { width, bars } = rates([
      point(0, 0),
      point(2, 400, 100),
      point(3, 400, 100),
      point(4, 1_000, 300),
    ]);
    expect(width).toBe(MINUTE);
    expect(bars.map(({ fresh, cached }) => [fresh, cached])).toEqual([
      [50, 150],
      [50, 150],
      [0, 0],
      [200, 400],
    ]);
  });

  it("are bars that are few enough to be told apart", () => {
    const long = rates([point(0, 0), point(300, 3_000)]);
    expect(long.bars).toHaveLength(60);
    expect(long.width).toBe(5 * MINUTE);
  });

  it("do not shout about the first seconds", () => {
    expect(rates([point(0, 0), point(0.1, 500)]).bars[0]?.fresh).toBe(500);
  });

  it("say how long nothing was used", () => {
    const { text } = rateChart([point(0, 0), point(1, 10), point(3, 10)]);
    expect(text.summary).toContain("in 2\u00a0min nothing was used");
  });

  it("says that nothing was used, on an axis of whole tokens", () => {
    const { model, text } = rateChart([point(0, 0), point(3, 0)]);
    expect(text.summary).toBe("Each bar is 1\u00a0min. Nothing was used.");
    expect(model.y.max).toBe(5);
  });

  it("are none before anything was used", () => {
    expect(rates([]).bars).toEqual([]);
  });
});
