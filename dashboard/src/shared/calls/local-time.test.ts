import { describe, expect, it } from "vitest";
import { fromLocalText, localText, rangeOf } from "@/shared/calls/local-time";
import { chooseZone } from "@/shared/zone";

const form = (from: string, to: string): FormData => {
  const data = new FormData();
  data.set("from", from);
  data.set("to", to);
  return data;
};

describe("a moment in a field", () => {
  it("comes back to the second", () => {
    const at = new Date(2026, 10, 22, 9, 5, 7).getTime();
    expect(localText(at)).toBe("2026-11-22T09:05:07");
    expect(fromLocalText(localText(at + 400))).toBe(at);
    expect(fromLocalText("")).toBeNull();
  });

  it("is the viewer's zone's", () => {
    chooseZone("America/St_Johns");
    const at = Date.parse("2026-11-22T09:05:07Z");
    expect(localText(at)).toBe("2026-11-22T05:35:07");
    expect(fromLocalText("2026-11-22T05:35")).toBe(at - 7_000);
    chooseZone(null);
  });

  it.each([
    ["", "2026-11-22T09:00", "both"],
    ["2026-11-22T09:00", "2026-11-22T09:00", "before"],
    ["2026-11-22T10:00", "2026-11-22T09:00", "before"],
  ])("from %j to %j is no range", (from, to, problem) => {
    expect(rangeOf(form(from, to))).toEqual({ problem: expect.stringContaining(problem) });
  });

  it("makes a range", () => {
    const range = rangeOf(form("2026-11-22T09:00", "2026-11-22T09:30:00"));
    expect("from" in range && range.to - range.from).toBe(1_800_000);
  });
});
