import { describe, expect, it } from "vitest";
import type { ComparedView, ComparisonView, CurvePoint, SessionFigures } from "@/api/types.gen";
import {
  compared,
  comparisonChart,
  difference,
  type FigureRow,
  figureRows,
  medianText,
} from "@/features/compare/comparison";

const MINUTE = 60_000;

const point = (minute: number, total: number): CurvePoint => ({
  atMs: minute * MINUTE,
  calls: 1,
  total,
  fresh: total,
  costNanoUsd: null,
});

const session = (
  id: string | null,
  points: CurvePoint[],
  change: Partial<ComparedView> = {},
): ComparedView => ({
  sessionId: id,
  name: id === null ? null : `Session ${id}`,
  status: null,
  pastSessions: id === null ? 12 : 1,
  points,
  figures: {} as SessionFigures,
  difference: null,
  ...change,
});

const comparison: ComparisonView = {
  stepMs: MINUTE,
  sessions: [
    session("a", [point(0, 0), point(1, 50)]),
    session(null, [point(0, 0), point(1, 20), point(2, 40)]),
  ],
};

describe("sessions side by side", () => {
  it("share one axis, as long as the longest", () => {
    const { model, text } = comparisonChart(compared(comparison), "total");
    expect(model.x.max).toBe(2 * MINUTE);
    expect(model.y.max).toBe(50);
    expect(model.series.map((series) => "look" in series && series.look)).toEqual(["solid", "dashed"]);
    expect(text.columns).toEqual(["Time", "Session a", "Your median"]);
    expect(text.rows.at(-1)?.slice(1)).toEqual(["—", "40"]);
  });

  it("say what the median stands on", () => {
    expect(medianText(comparison)).toBe("Your median is that of 12\u00a0finished sessions.");
    const without = { ...comparison, sessions: [session(null, [], { figures: null, pastSessions: 2 })] };
    expect(medianText(without)).toBe("Your median needs three finished sessions.");
  });
});

const row = (figure: string): FigureRow => {
  const found = figureRows.find((known) => known.figure === figure);
  if (!found) throw new Error(figure);
  return found;
};

const differs = (figure: string, value: number | null, by: number | null) =>
  difference(row(figure), {
    figures: { [figure]: value } as unknown as SessionFigures,
    difference: { [figure]: by } as unknown as SessionFigures,
  });

describe("a difference", () => {
  it("says by how much, of what the first has, and whether that is better", () => {
    expect(differs("costNanoUsd", 3e9, 1e9)).toEqual({ text: "+$1.00 (+50\u00a0%)", verdict: "worse" });
    expect(differs("total", 500, -500)).toEqual({ text: "−500 (−50\u00a0%)", verdict: "better" });
  });

  it("of a share is in points", () => {
    expect(differs("cacheSharePercent", 90, 15)).toEqual({ text: "+15 points", verdict: "better" });
  });

  it("is no judgement where neither way is better", () => {
    expect(differs("elapsedMs", 2 * MINUTE, MINUTE).verdict).toBe("");
  });

  it("is not there where one of both is not known", () => {
    expect(differs("costNanoUsd", null, null).text).toBe("");
    expect(differs("total", 5, 0).text).toBe("the same");
  });

  it("is none where both are written alike", () => {
    expect(differs("elapsedMs", 14_200, 100).text).toBe("the same");
  });
});
