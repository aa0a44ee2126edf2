import { describe, expect, it } from "vitest";
import { roundUp, sampled, timeTicks } from "@/shared/chart/model";

describe("a sample of rows", () => {
  it("is all of them where they are few", () => {
    expect(sampled([1, 2, 3], 5)).toEqual([1, 2, 3]);
  });

  it("has the first and the last", () => {
    const many = Array.from({ length: 301 }, (_, index) => index);
    const few = sampled(many, 7);
    expect(few).toEqual([0, 50, 100, 150, 200, 250, 300]);
  });
});

describe("the end of an axis", () => {
  it.each([
    [0, 1],
    [1, 1],
    [1.4, 2],
    [2.2, 2.5],
    [26, 50],
    [51, 100],
    [1_000_001, 2_000_000],
  ])("for %d is %d", (value, end) => {
    expect(roundUp(value)).toBe(end);
  });
});

describe("the ticks of time", () => {
  it.each([
    [0.5, 1 / 6],
    [3, 0.5],
    [5, 1],
    [74, 15],
    [120, 30],
    [300, 60],
    [1_440, 300],
  ])("of %d minutes lie %d minutes apart", (span, step) => {
    const [first, second] = timeTicks({ max: span * 60_000, write: String });
    expect([first, second]).toEqual([0, step * 60_000]);
  });
});
