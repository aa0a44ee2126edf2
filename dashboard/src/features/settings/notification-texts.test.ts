import { expect, it } from "vitest";
import type { NotificationTarget } from "@/api/types.gen";
import { failureOf, told } from "@/features/settings/notification-texts";

const noon = new Date(2026, 10, 22, 12, 30).getTime();
const target: NotificationTarget = {
  name: "team",
  kind: "slack",
  place: "https://hooks.slack.example",
  signed: false,
  severity: "warning",
  rules: [],
  lastDeliveryAt: null,
  lastError: null,
  lastErrorAt: null,
  delivered: 0,
  givenUp: 0,
  waiting: 0,
};

it("says who is told of what", () => {
  expect(told(target, noon).about).toBe("Slack · https://hooks.slack.example · warnings and worse");
  const desktop = { ...target, kind: "desktop" as const, place: null, rules: ["budget.cost" as const] };
  expect(told(desktop, noon).about).toBe("This desktop · warnings and worse · only of Cost budget");
});

it("says how it went", () => {
  expect(told(target, noon).history).toBe("nothing arrived since the start");
  const used = { ...target, lastDeliveryAt: noon, delivered: 3, givenUp: 1 };
  expect(told(used, noon).history).toBe(
    "3\u00a0notifications arrived, the last one Today 12:30 · 1 given up",
  );
  expect(failureOf(target, noon)).toBeNull();
  expect(failureOf({ ...target, lastError: "status 404", lastErrorAt: noon }, noon)).toBe(
    "status 404 (Today 12:30)",
  );
});
