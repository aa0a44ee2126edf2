import { describe, expect, it } from "vitest";
import type { SessionView } from "@/api/types.gen";
import { budgetLevel, passedShare, sharesText } from "@/shared/session/budget";
import { tokenParts } from "@/shared/session/token-parts";
import { type LiveSession, noTotals } from "@/store/live-reducer";
import { shownSession } from "@/store/shown-session";

describe("a token budget", () => {
  it.each([
    [[80, 95], 79, "fine", null],
    [[80, 95], 80, "near", 80],
    [[80, 95], 95, "critical", 95],
    [[80, 95], 100, "spent", 95],
    [[80, 95], 130, "spent", 95],
    // One share alone is a first word and no alarm.
    [[50], 49, "fine", null],
    [[50], 99, "near", 50],
    [[50], 100, "spent", 50],
    [[10, 20, 30], 25, "near", 20],
    [[10, 20, 30], 30, "critical", 30],
    // Nothing is known yet.
    [[], 99, "fine", null],
  ])("with alerts at %j and %s of 100 spent is %s", (alertAt, used, level, passed) => {
    expect(budgetLevel(used, 100, alertAt)).toBe(level);
    expect(passedShare(used, 100, alertAt)).toBe(passed);
  });

  it.each([
    [[80, 95, 100], "80, 95 and 100\u00a0%"],
    [[50, 100], "50 and 100\u00a0%"],
    [[100], "100\u00a0%"],
  ])("alerts at %j as a sentence says it", (shares, text) => expect(sharesText(shares)).toBe(text));
});

it("the parts of a sum never count reasoning twice", () => {
  const totals = { ...noTotals, cacheRead: 1, cacheWrite: 2, input: 3, output: 10, reasoning: 4 };
  expect(tokenParts(totals).map(({ tokens }) => tokens)).toEqual([1, 2, 3, 6, 4]);
});

describe("the session that is shown", () => {
  const session = (id: string, change: Partial<SessionView>): LiveSession => ({
    view: { id, status: "active", current: false, ...change } as SessionView,
    receivedAt: 0,
  });
  const sessions = [
    session("paused", { status: "paused" }),
    session("running", {}),
    session("current", { current: true }),
    session("done", { status: "completed" }),
  ];
  const shown = (
    list: LiveSession[],
    selectedSession: string | null = null,
    endedInView: string | null = null,
  ) => shownSession(list, { selectedSession, endedInView })?.view.id;

  it("is the chosen one, also if it is over", () => expect(shown(sessions, "done")).toBe("done"));
  it("is the current one without a choice", () => expect(shown(sessions)).toBe("current"));
  it("is one that runs where none is current", () => expect(shown(sessions.slice(0, 2))).toBe("running"));
  it("is a paused one where none runs", () => expect(shown(sessions.slice(0, 1))).toBe("paused"));
  it("is the one that ended in view, but only where none is open", () => {
    expect(shown(sessions.slice(3), null, "done")).toBe("done");
    expect(shown(sessions, null, "done")).toBe("current");
  });
  it("is none where all are over", () => expect(shown(sessions.slice(3))).toBeUndefined());
});
