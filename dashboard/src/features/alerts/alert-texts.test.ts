import { describe, expect, it } from "vitest";
import type { AlertView } from "@/api/types.gen";
import {
  lasted,
  rangeStart,
  scopeText,
  silence,
  tomorrow,
  trackRecordTexts,
} from "@/features/alerts/alert-texts";

const noon = new Date(2026, 10, 22, 12, 30).getTime();
const alert: AlertView = {
  id: "a",
  rule: "calls.loop",
  scope: { kind: "moonlock" },
  severity: "critical",
  level: null,
  status: "active",
  message: "",
  raisedAt: noon - 90 * 60_000,
  worsenedAt: null,
  clearedAt: null,
  acknowledgedAt: null,
  snoozedUntil: null,
};

it("says since when one stands, and how long one stood", () => {
  expect(lasted(alert, noon)).toBe("since 11:00");
  expect(lasted({ ...alert, clearedAt: noon }, noon)).toBe("Today 11:00, for 1\u00a0h\u00a030\u00a0min");
});

it("says why one is silent", () => {
  expect(silence({ ...alert, status: "acknowledged" }, noon)).toBe("Seen");
  expect(silence({ ...alert, status: "snoozed", snoozedUntil: noon + 60 * 60_000 }, noon)).toBe(
    "Snoozed until 13:30",
  );
});

it("names what one is about, by the session's name where it is known", () => {
  const nameOf = (id: string) => (id === "s1" ? "Parser" : undefined);
  expect(scopeText({ kind: "session", sessionId: "s1" }, nameOf)).toEqual({ text: "Parser", session: "s1" });
  expect(scopeText({ kind: "conversation", sessionId: null, conversation: "c" }, nameOf)).toEqual({
    text: "a conversation in no session",
    session: null,
  });
});

describe("time", () => {
  it("tomorrow is its morning, also at the end of a month", () => {
    expect(tomorrow(noon)).toBe(new Date(2026, 10, 23, 8).getTime());
    expect(tomorrow(new Date(2026, 10, 30, 23, 59).getTime())).toBe(new Date(2026, 11, 1, 8).getTime());
  });

  it("a range begins at midnight; what is no range has no beginning", () => {
    expect(rangeStart("1d", noon)).toBe(new Date(2026, 10, 22).getTime());
    expect(rangeStart("7d", noon)).toBe(new Date(2026, 10, 16).getTime());
    expect(rangeStart("", noon)).toBeNull();
    expect(rangeStart("fortnight", noon)).toBeNull();
  });
});

it("tells the track record in natural frequencies, and nothing of nothing", () => {
  const record = { bands: 50, held: 41, warnings: 15, cameTrue: 12, sessions: 20, promisedPercent: 80 };
  expect(trackRecordTexts(record)).toEqual({
    warnings: "12 of 15\u00a0early warnings came true.",
    bands: "41 of 50\u00a0ranges held; about 40 should.",
  });
  expect(trackRecordTexts({ ...record, bands: 0, warnings: 0 })).toEqual({ warnings: null, bands: null });
});
