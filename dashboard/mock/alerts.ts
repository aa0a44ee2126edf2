/** Alerts that are over, and the rules. */
import type { AlertRule, AlertView, Rule, TrackRecord } from "../src/api/types.gen";
import type { Asked, Reply } from "./rest";
import { newId } from "./scene";

const MINUTE = 60_000;

const rules: Record<string, [about: string, message: string, severity: AlertView["severity"]]> = {
  "budget.tokens": [
    "A budget in tokens is used to 80, 95 or 100 %.",
    "80 % of the token budget of 500,000 is used; at this rate the rest lasts about 25 min.",
    "warning",
  ],
  "overrun.cost": [
    "A session will probably cost more than its budget has.",
    "The session will probably cost $6.10 – $8.40, where its budget is $5.00.",
    "info",
  ],
  "calls.burst": [
    "Many more calls come in a minute than usual.",
    "14 calls in the last minute, where this session has at most 6 as a rule. Look whether an agent runs away.",
    "warning",
  ],
  "calls.loop": [
    "A conversation asks nearly the same again and again.",
    "One conversation made 25 nearly equal calls in 4 min. Look whether its agent goes in circles.",
    "critical",
  ],
  "session.idle": [
    "A session's clock runs while nothing is asked.",
    "The session's clock ran for 12 min without a call.",
    "info",
  ],
  "store.slow": [
    "The disk is too slow for replies to wait for it.",
    "The disk took 1.2 s to store a call.",
    "warning",
  ],
};

/** By scene, so that every test begins with the same. */
const muted = new WeakMap<object, Set<string>>();

const mutedOf = (scene: object): Set<string> => {
  const known = muted.get(scene) ?? new Set();
  muted.set(scene, known);
  return known;
};

const past = (scene: Asked["scene"]): AlertView[] => {
  if (scene.sessions.length === 0) return [];
  const names = Object.entries(rules);
  return Array.from({ length: 64 }, (_, index) => {
    const [rule, [, message, severity]] = names[index % names.length] ?? ["store.slow", ["", "", "info"]];
    const raisedAt = Date.now() - (index + 1) * 190 * MINUTE;
    const session = scene.sessions[index % scene.sessions.length]?.id ?? "";
    return {
      id: newId(),
      rule: rule as Rule,
      scope: rule.startsWith("store") ? { kind: "moonlock" } : { kind: "session", sessionId: session },
      severity,
      level: null,
      status: "cleared",
      message,
      raisedAt,
      worsenedAt: null,
      clearedAt: raisedAt + (4 + (index % 9) * 7) * MINUTE,
      acknowledgedAt: index % 3 === 0 ? raisedAt + MINUTE : null,
      snoozedUntil: null,
    };
  });
};

export const listAlerts = ({ params, scene }: Asked): Reply => {
  const is = (name: string, value: string): boolean => (params.get(name) ?? value) === value;
  const found = past(scene).filter(
    ({ rule, severity, scope, raisedAt }) =>
      is("rule", rule) &&
      is("severity", severity) &&
      (!params.has("session") || ("sessionId" in scope && scope.sessionId === params.get("session"))) &&
      raisedAt >= Number(params.get("from") ?? 0),
  );
  const limit = Number(params.get("limit") ?? 100);
  const alerts = found.slice(0, limit);
  return [200, { alerts, next: found.length > limit ? (alerts.at(-1)?.id ?? null) : null }];
};

export const listRules = ({ scene }: Asked): Reply => {
  const silent = mutedOf(scene);
  const all = Object.entries(rules).map(([rule, [about]]) => ({ rule, about, muted: silent.has(rule) }));
  return [200, { rules: all as AlertRule[] }];
};

export const changeRule = ({ id, body, scene, publish }: Asked): Reply => {
  const silent = mutedOf(scene);
  if (body["muted"] === true) silent.add(id);
  else silent.delete(id);
  scene.alerts = scene.alerts.map((alert) =>
    alert.rule === id ? { ...alert, status: silent.has(id) ? "muted" : "active" } : alert,
  );
  for (const alert of scene.alerts.filter(({ rule }) => rule === id)) publish({ kind: "alert", data: alert });
  return [200, { rule: id, about: rules[id]?.[0] ?? "", muted: silent.has(id) }];
};

const none: TrackRecord = { bands: 0, held: 0, warnings: 0, cameTrue: 0, sessions: 0, promisedPercent: 80 };

export const trackRecord = ({ scene }: Asked): Reply => [
  200,
  scene.sessions.length === 0
    ? none
    : { ...none, bands: 34, held: 29, warnings: 15, cameTrue: 12, sessions: 21 },
];
