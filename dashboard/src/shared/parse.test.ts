import { describe, expect, it } from "vitest";
import { parseBudget, parseDuration, parseMoney } from "@/shared/parse";

const MINUTE = 60_000;

describe("a duration", () => {
  it.each([
    ["", null],
    ["45m", 45 * MINUTE],
    ["45 min", 45 * MINUTE],
    ["90", 90 * MINUTE],
    ["2h", 120 * MINUTE],
    ["1h30", 90 * MINUTE],
    [" 1H 30M ", 90 * MINUTE],
    ["1.5h", 90 * MINUTE],
    ["1:30", 90 * MINUTE],
    ["5h", 300 * MINUTE],
  ])("%j is understood", (text, value) => expect(parseDuration(text)).toEqual({ value }));

  it.each([
    ["soon", "Write it like"],
    ["h", "Write it like"],
    ["1:75", "Write it like"],
    ["0", "One minute at least"],
    ["5h1m", "Five hours at most"],
  ])("%j is not", (text, problem) =>
    expect(parseDuration(text)).toEqual({ problem: expect.stringContaining(problem) }),
  );
});

describe("a token budget", () => {
  it.each([
    ["", null],
    ["500k", 500_000],
    ["1.5M", 1_500_000],
    ["500,000", 500_000],
    ["500 000", 500_000],
    ["2m tokens", 2_000_000],
  ])("%j is understood", (text, value) => expect(parseBudget(text)).toEqual({ value }));

  it.each([
    ["lots", "Write it like"],
    ["1,5", "Write it like"],
    ["-3", "Write it like"],
    ["0", "One token at least"],
    ["99999999b", "more than can be counted"],
  ])("%j is not", (text, problem) =>
    expect(parseBudget(text)).toEqual({ problem: expect.stringContaining(problem) }),
  );
});

describe("money", () => {
  it.each([
    ["", null],
    ["5", 5e9],
    ["$12.50", 12.5e9],
    ["1,000 USD", 1e12],
    [" $ 0.05 ", 5e7],
  ])("%j is understood", (text, value) => expect(parseMoney(text)).toEqual({ value }));

  it.each(["five", "-1", "0", "1.2.3", "1e9"])("%j is not", (text) =>
    expect(parseMoney(text)).toEqual({ problem: expect.any(String) }),
  );
});
