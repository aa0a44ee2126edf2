import { describe, expect, it } from "vitest";
import { estimateNotes, sureness } from "@/shared/calls/sureness";

describe("an estimate", () => {
  it("is about its number, or at least that", () => {
    expect(sureness({ low: 90, high: 110 })).toEqual({ sign: "≈", word: "about" });
    expect(sureness({ low: 90, high: null })).toEqual({ sign: "≥", word: "at least" });
  });

  it("says where the truth is thought to lie, for what was estimated alone", () => {
    expect(estimateNotes(null)).toEqual([]);
    const estimate = { input: null, output: { low: 1_200, high: null }, lowerBound: true };
    expect(estimateNotes(estimate)).toEqual(["out estimated: 1,200 or more"]);
    expect(estimateNotes({ ...estimate, input: { low: 8, high: 9 } })[0]).toBe("in estimated: 8 to 9");
  });
});
