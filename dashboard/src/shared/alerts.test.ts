import { describe, expect, it } from "vitest";
import type { AlertStatus, AlertView, Severity } from "@/api/types.gen";
import { asking, snoozedUntil } from "@/shared/alerts";

const alert = (
  id: string,
  severity: Severity,
  raisedAt: number,
  status: AlertStatus = "active",
): AlertView => ({
  id,
  rule: "budget.tokens",
  scope: { kind: "session", sessionId: "s1" },
  severity,
  level: 80,
  status,
  message: "Most of it is used.",
  raisedAt,
  worsenedAt: null,
  clearedAt: null,
  acknowledgedAt: null,
  snoozedUntil: null,
});

describe("alerts that ask to be looked at", () => {
  it("come with what matters most first, then the newest", () => {
    const alerts = [
      alert("a", "info", 9),
      alert("b", "warning", 1),
      alert("c", "warning", 2),
      alert("d", "critical", 0),
    ];
    expect(asking(alerts).map(({ id }) => id)).toEqual(["d", "c", "b", "a"]);
  });

  it("are not those that were seen, snoozed or muted", () => {
    const statuses: AlertStatus[] = ["acknowledged", "snoozed", "muted", "active"];
    const alerts = statuses.map((status) => alert(status, "critical", 0, status));
    expect(asking(alerts).map(({ id }) => id)).toEqual(["active"]);
  });

  it("are silent for an hour when they are snoozed", () => {
    expect(snoozedUntil(1_000.4)).toBe(3_601_000);
  });
});
