import { describe, expect, it } from "vitest";
import {
  clock,
  compact,
  count,
  day,
  latency,
  money,
  percent,
  plural,
  seconds,
  span,
  time,
} from "@/shared/format";

/** Ordinary spaces are easier to read than no-break ones. */
const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("tokens", () => {
  it("are whole numbers with commas", () => {
    expect(count(12_345)).toBe("12,345");
    expect(count(0)).toBe("0");
    expect(count(null)).toBe("—");
  });

  it.each([
    [999, "999"],
    [1_000, "1k"],
    [12_345, "12.3k"],
    [999_999, "999k"],
    [1_234_567, "1.2M"],
    [123_999_999, "123M"],
    [2_000_000_000, "2B"],
    [null, "—"],
  ])("compact: %s is %s", (value, text) => expect(compact(value)).toBe(text));
});

describe("money", () => {
  it.each([
    [null, "—"],
    [0, "$0.00"],
    [1, "<$0.0001"],
    [420_000, "$0.0004"],
    [34_200_000, "$0.034"],
    [100_000_000, "$0.10"],
    [1_234_000_000, "$1.23"],
    [1_234_567_000_000, "$1,234.57"],
    [-1_230_000_000, "−$1.23"],
  ])("%s nano-dollars are %s", (value, text) => expect(money(value)).toBe(text));
});

describe("shares", () => {
  it.each([
    [0, 100, "0 %"],
    [1, 1_000, "<1 %"],
    [8, 100, "8 %"],
    [999, 1_000, ">99 %"],
    [100, 100, "100 %"],
    [130, 100, "130 %"],
    [0, 0, "—"],
  ])("%s of %s is %s", (part, all, text) => expect(plain(percent(part, all))).toBe(text));
});

describe("times", () => {
  it("the clock shows hours, minutes, seconds and, apart, milliseconds", () => {
    expect(clock(8_077_482)).toEqual({ main: "02:14:37", fraction: ".482" });
    expect(clock(-5)).toEqual({ main: "00:00:00", fraction: ".000" });
    expect(clock(360_000_000).main).toBe("100:00:00");
  });

  it.each([
    [null, "—"],
    [820, "820 ms"],
    [3_290, "3.2 s"],
    [59_999, "59.9 s"],
    [64_000, "1 min 04 s"],
  ])("a latency of %s is %s", (ms, text) => expect(plain(latency(ms))).toBe(text));

  it.each([
    [30_000, "30 s"],
    [45 * 60_000, "45 min"],
    [120 * 60_000, "2 h"],
    [125 * 60_000, "2 h 05 min"],
  ])("a span of %s is %s", (ms, text) => expect(plain(span(ms))).toBe(text));

  it("a growing time is cut to tenths", () => {
    expect(plain(seconds(3_290))).toBe("3.2 s");
    expect(plain(seconds(-1))).toBe("0.0 s");
  });

  it("a moment has its day, unless it is today", () => {
    const at = Date.UTC(2026, 10, 21, 10, 41);
    expect(time(at)).toBe("10:41");
    expect(day(at, at + 1_000)).toBe("Today 10:41");
    expect(day(at, at + 86_400_000)).toBe("21 Nov 10:41");
    expect(day(at, at + 365 * 86_400_000)).toBe("21 Nov 10:41");
  });
});

it("one is not many", () => {
  expect([0, 1, 2_000].map((value) => plain(plural(value, "call")))).toEqual([
    "0 calls",
    "1 call",
    "2,000 calls",
  ]);
});
