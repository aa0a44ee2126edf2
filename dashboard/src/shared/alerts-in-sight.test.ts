import { describe, expect, it } from "vitest";
import type { AlertView } from "@/api/types.gen";
import { follow, look, unseen } from "@/shared/alerts-in-sight";

const alert = (id: string, change: Partial<AlertView> = {}): AlertView =>
  ({ id, severity: "warning", status: "active", raisedAt: 0, ...change }) as AlertView;

const ids = (alerts: readonly AlertView[]) => alerts.map(({ id }) => id);

describe("the alerts in sight", () => {
  const seen = look([alert("a"), alert("b", { severity: "critical" }), alert("c", { severity: "info" })]);

  it("stand in the order of what matters when they are looked at", () => {
    expect(ids(seen.map((row) => row.alert))).toEqual(["b", "a", "c"]);
  });

  it("keep their places whatever becomes of them, and say when they are over", () => {
    const now = follow(seen, [alert("c", { severity: "critical" }), alert("b", { status: "acknowledged" })]);
    expect(ids(now.map((row) => row.alert))).toEqual(["b", "a", "c"]);
    expect(now.map(({ isOver }) => isOver)).toEqual([false, true, false]);
    expect(now[0]?.alert.status).toBe("acknowledged");
    expect(now[2]?.alert.severity).toBe("critical");
  });

  it("that are over and come again are there again", () => {
    const gone = follow(seen, []);
    expect(follow(gone, [alert("a")])[1]).toEqual({ alert: alert("a"), isOver: false });
  });

  it("are not joined by new ones, which are told of as far as they ask to be looked at", () => {
    const all = [
      alert("a"),
      alert("d"),
      alert("e", { severity: "critical" }),
      alert("f", { status: "muted" }),
    ];
    expect(ids(unseen(seen, all))).toEqual(["e", "d"]);
  });
});
