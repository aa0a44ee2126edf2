import { afterEach, describe, expect, it } from "vitest";
import type { UsageGroup } from "@/api/types.gen";
import { levelOf, weekHeat, yearHeat } from "@/features/analytics/heat";
import { dayStart, dayText, rangeOf, stepOf, stepStart, steps } from "@/features/analytics/range";
import { bucketOf, usageChart } from "@/features/analytics/usage-chart";
import { time } from "@/shared/format";
import { chooseZone, midnight } from "@/shared/zone";
import { noTotals } from "@/store/live-reducer";

const now = new Date(2026, 10, 22, 15, 30).getTime();
const day = (text: string): number => dayStart(text) ?? Number.NaN;
const group = (keys: Partial<UsageGroup>): UsageGroup => ({
  ...noTotals,
  durationMs: 0,
  cacheHitShare: null,
  pricedShare: null,
  outputPerSecond: null,
  durationP50Ms: null,
  durationP90Ms: null,
  durationP99Ms: null,
  ttftP50Ms: null,
  ttftP90Ms: null,
  ttftP99Ms: null,
  ...keys,
});

describe("a range", () => {
  const none = { from: "", to: "" };
  it("begins at a midnight of the viewer's zone", () => {
    expect(rangeOf("today", none, now)).toEqual({ from: day("2026-11-22"), to: null });
    expect(rangeOf("7d", none, now)).toEqual({ from: day("2026-11-16"), to: null });
    expect(rangeOf("all", none, now)).toEqual({ from: null, to: null });
  });

  it("of one's own has its last day whole, and is open where a day is no day", () => {
    expect(rangeOf("custom", { from: "2026-11-01", to: "2026-11-03" }, now)).toEqual({
      from: day("2026-11-01"),
      to: day("2026-11-04"),
    });
    expect(rangeOf("custom", { from: "2026-02-30", to: "soon" }, now)).toEqual({ from: null, to: null });
  });
});

describe("a day's border", () => {
  afterEach(() => chooseZone(null));
  const late = Date.parse("2026-11-22T18:30:00Z");

  it("moves with the zone that is chosen", () => {
    expect(dayText(late)).toBe("2026-11-22");
    expect(rangeOf("today", { from: "", to: "" }, late).from).toBe(Date.parse("2026-11-22T00:00Z"));
    chooseZone("Asia/Kathmandu");
    expect(dayText(late)).toBe("2026-11-23");
    expect(rangeOf("today", { from: "", to: "" }, late).from).toBe(Date.parse("2026-11-22T18:15Z"));
    expect(stepStart(late, "week")).toBe(Date.parse("2026-11-22T18:15Z"));
    expect(stepStart(late, "hour")).toBe(Date.parse("2026-11-22T18:15Z"));
    expect(steps(late, late + 3_600_000, "hour").map(time)).toEqual(["00:00", "01:00"]);
  });

  it("puts a day's bar under the day that the server cut", () => {
    chooseZone("Asia/Kathmandu");
    const range = rangeOf("7d", { from: "", to: "" }, late);
    const groups = [group({ day: "2026-11-23", total: 5, input: 5 })];
    const { text } = usageChart(groups, { range, split: "", now: late }, "tokens");
    expect(text.rows.map(([label, all]) => [label, all])).toEqual([["23 Nov", "5"]]);
  });
});

describe("steps", () => {
  it.each([
    ["2026-11-22", "hour"],
    ["2026-11-16", "day"],
    ["2026-10-24", "day"],
    ["2025-12-01", "week"],
    ["2024-01-01", "month"],
  ])("since %s are %ss", (from, step) => {
    expect(stepOf(day(from), now)).toBe(step);
  });

  it("of weeks begin on Mondays, of months on the first", () => {
    expect(stepStart(now, "week")).toBe(day("2026-11-16"));
    expect(stepStart(day("2026-11-16"), "week")).toBe(day("2026-11-16"));
    expect(stepStart(now, "month")).toBe(day("2026-11-01"));
  });

  it("are all there are, also over a year's end", () => {
    expect(steps(day("2025-11-05"), day("2026-02-02"), "month")).toEqual(
      ["2025-11-01", "2025-12-01", "2026-01-01", "2026-02-01"].map(day),
    );
    expect(steps(day("2026-11-22"), now, "hour")).toHaveLength(16);
  });

  it("are asked for as fine as they are drawn", () => {
    expect(bucketOf({ from: day("2026-11-22"), to: null }, now)).toBe("hour");
    expect(bucketOf({ from: null, to: null }, now)).toBe("day");
  });
});

describe("the chart", () => {
  const week = { from: day("2026-11-16"), to: null };
  const groups = [
    group({ day: "2026-11-17", model: "a", total: 10, output: 4, reasoning: 1, input: 6 }),
    group({ day: "2026-11-22", model: "b", total: 30, output: 30, requests: 2, costNanoUsd: 5e9 }),
  ];

  it("has a place for every day, also for those without calls", () => {
    const { model, text } = usageChart(groups, { range: week, split: "", now }, "tokens");
    expect(model.x.labels).toHaveLength(7);
    const output = model.series.find(({ label }) => label === "Output");
    expect(output?.kind === "bar" && output.points.map(({ y }) => y)).toEqual([0, 3, 0, 0, 0, 0, 30]);
    expect(text.rows).toHaveLength(2);
    expect(text.summary).toContain("The most was 30: 22 Nov.");
  });

  it("is split by what was asked for, the largest first, the small ones as one", () => {
    const split = usageChart(groups, { range: week, split: "model", now }, "cost");
    expect(split.model.series.map(({ label }) => label)).toEqual(["b", "a"]);
    expect(split.text.rows).toEqual([["22 Nov", "$5.00", "$5.00", "$0.00"]]);

    const many = Array.from({ length: 9 }, (_, index) =>
      group({ day: "2026-11-20", model: `m${index}`, requests: index + 1, total: 1 }),
    );
    const { model } = usageChart(many, { range: week, split: "model", now }, "calls");
    expect(model.series.map(({ label }) => label)).toEqual(["m8", "m7", "m6", "m5", "m4", "m3", "Others"]);
    const rest = model.series.at(-1);
    expect(rest?.kind === "bar" && rest.points.reduce((sum, { y }) => sum + y, 0)).toBe(6);
  });

  it("calls what has no name by what that means", () => {
    const loose = [group({ day: "2026-11-20", session: null, total: 1 })];
    const { model } = usageChart(loose, { range: week, split: "session", now }, "tokens");
    expect(model.series.map(({ label }) => label)).toEqual(["No session"]);
  });

  it("begins with the first call where the range has no beginning", () => {
    const { model } = usageChart(groups, { range: { from: null, to: null }, split: "", now }, "tokens");
    expect(model.x.labels?.[0]).toBe("17 Nov");
  });
});

describe("the heat maps", () => {
  it("tell five levels apart, and never nothing from a little", () => {
    expect([0, 1, 100, 300, 600, 1_000].map((value) => levelOf(value, 1_000))).toEqual([0, 1, 2, 3, 4, 4]);
  });

  it("have every day of a year until today, weeks beginning on Monday", () => {
    const heat = yearHeat([group({ day: "2026-11-22", total: 7 })], now);
    expect(heat.cells.at(-1)).toMatchObject({ x: 52, y: 6, level: 4, title: "Sunday, 22 Nov: 7 tokens" });
    expect(heat.cells).toHaveLength(53 * 7);
    expect(midnight(now, 1 - 53 * 7)).toBe(day("2025-11-17"));
    expect(heat.summary).toMatch(/^1 of the last 371 days had calls\./);
  });

  it("have a week's hours", () => {
    const heat = weekHeat([group({ weekday: 2, hourOfDay: 14, total: 9 })]);
    expect(heat.cells).toHaveLength(7 * 24);
    expect(heat.summary).toBe("The busiest is Tuesday from 14:00 on.");
    expect(heat.table.rows[1]).toEqual(["Tuesday", "9", "14:00"]);
  });
});
