import { describe, expect, it } from "vitest";
import { intervalText, partRows, speed, waterfall } from "@/shared/calls/call-texts";

describe("a call's parts", () => {
  it("are those that are known, with nothing that is not a number of tokens", () => {
    expect(partRows({ output: 5, input: 0, webSearches: 2, providerCostNanoUsd: 7 })).toEqual([
      { name: "input", label: "Input", tokens: 0 },
      { name: "output", label: "Output", tokens: 5 },
    ]);
  });

  it("are without those that a call of text never has", () => {
    const names = partRows({ input: 9, cacheRead: 0, audioIn: 0, output: 0, reasoning: 0, audioOut: 0 });
    expect(names.map(({ name }) => name)).toEqual(["input", "cacheRead", "output"]);
  });
});

describe("an estimate's interval", () => {
  it("has two ends, or one", () => {
    expect(intervalText({ low: 1_100, high: 1_400 })).toBe("between 1,100 and 1,400");
    expect(intervalText({ low: 1_100, high: null })).toBe("at least 1,100");
  });
});

describe("a call's time", () => {
  it("is waiting until the first byte, then streaming", () => {
    expect(waterfall({ ttftMs: 250, durationMs: 1_000 })).toEqual({
      waitMs: 250,
      streamMs: 750,
      waitShare: 0.25,
    });
  });

  it("is all waiting where nothing streamed", () => {
    expect(waterfall({ ttftMs: null, durationMs: 400 })).toEqual({ waitMs: 400, streamMs: 0, waitShare: 1 });
  });

  it("is not known while it runs", () => {
    expect(waterfall({ ttftMs: 250, durationMs: null })).toBeNull();
  });

  it("has a speed only where it streamed for long enough", () => {
    expect(speed({ output: 100, ttftMs: 1_000, durationMs: 3_000 })).toBe("50 tokens/s");
    expect(speed({ output: 100, ttftMs: 1_000, durationMs: 1_050 })).toBe("");
    expect(speed({ output: null, ttftMs: 1_000, durationMs: 3_000 })).toBe("");
  });
});
