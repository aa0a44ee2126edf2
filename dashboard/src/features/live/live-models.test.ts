import { describe, expect, it } from "vitest";
import type { SessionView } from "@/api/types.gen";
import { budgetLevel } from "@/shared/session/budget";
import { tokenParts } from "@/shared/session/token-parts";
import { type LiveSession, noTotals } from "@/store/live-reducer";
import { shownSession } from "@/store/shown-session";

describe("a token budget", () => {
  it.each([
    [79, "fine"],
    [80, "near"],
    [95, "critical"],
    [100, "spent"],
    [130, "spent"],
  ])("of 100 with %s spent is %s", (used, level) => expect(budgetLevel(used, 100)).toBe(level));
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
