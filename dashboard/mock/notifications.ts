/** Who is told of alerts. */
import type { NotificationTarget, NotificationTest } from "../src/api/types.gen";
import type { Asked, Reply } from "./rest";

const targets = (): NotificationTarget[] => [
  {
    name: "team",
    kind: "slack",
    place: "https://hooks.slack.example",
    signed: false,
    severity: "warning",
    rules: ["budget.cost", "budget.tokens"],
    lastDeliveryAt: Date.now() - 2 * 60 * 60_000,
    lastError: null,
    lastErrorAt: null,
    delivered: 4,
    givenUp: 0,
    waiting: 0,
  },
  {
    name: "pager",
    kind: "webhook",
    place: "https://pager.example",
    signed: true,
    severity: "critical",
    rules: [],
    lastDeliveryAt: null,
    lastError: "the answer was 503 Service Unavailable",
    lastErrorAt: Date.now() - 5 * 60_000,
    delivered: 0,
    givenUp: 1,
    waiting: 2,
  },
];

export const listTargets = ({ scene }: Asked): Reply => [
  200,
  { targets: scene.sessions.length === 0 ? [] : targets() },
];

export const testTarget = ({ id }: Asked): Reply => {
  const arrived: NotificationTest = { delivered: true, error: null };
  return [
    200,
    id === "team" ? arrived : { delivered: false, error: "the answer was 503 Service Unavailable" },
  ];
};
