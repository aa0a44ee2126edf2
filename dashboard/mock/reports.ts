/** What the mock answers about one session, or several side by side. Invented, but for what follows from its calls. */
import type {
  ComparedView,
  ComparisonView,
  EfficiencyPartView,
  EfficiencyView,
  PastView,
  SessionFigures,
  SessionView,
  TokensPage,
} from "../src/api/types.gen";
import { atNow, curve, none, ofSession } from "./readings";
import type { Asked, Reply } from "./rest";
import type { Scene } from "./scene";

export const sessionEvents = ofSession((view) => ({
  events: [
    { seq: 1, kind: "started", at: view.startedAt, ms: null, undone: false, countable: false },
    ...view.told,
    ...(view.endedAt === null
      ? []
      : [{ seq: 99, kind: "completed", at: view.endedAt, ms: null, undone: false, countable: false }]),
  ],
}));

export const sessionTokens = ofSession(
  ({ usage }): TokensPage => ({
    tokens: [],
    next: null,
    reconciliation: {
      tokensUsed: usage.total,
      bySource: [
        {
          source: "exact",
          requests: usage.requests - usage.unknownRequests,
          tokens: usage.total - usage.inexactTokens,
          costNanoUsd: usage.costNanoUsd,
        },
        { source: "estimated", requests: 4, tokens: usage.inexactTokens, costNanoUsd: null },
      ],
      uncertain: { requests: usage.inexactTokens > 0 ? 4 : 0, tokens: usage.inexactTokens },
      pausedTokens: 0,
    },
  }),
);

const part = (
  name: EfficiencyPartView["part"],
  weight: number,
  value: number | null,
  points: number | null,
  scale: [number, number],
): EfficiencyPartView => ({
  part: name,
  unit: name === "costPerCheckpoint" ? "nanoUsd" : "perMille",
  value,
  usual: value === null ? null : Math.round(value * 0.9),
  noPointsAt: scale[0],
  fullPointsAt: scale[1],
  points,
  weightPercent: weight,
  countsPercent: value === null ? 0 : Math.round((weight / 90) * 100),
  leftOut: value === null ? "noCheckpoints" : null,
  leftOutBecause: value === null ? "The session has no checkpoint." : null,
});

export const sessionEfficiency = ofSession(
  ({ id, usage }): EfficiencyView => ({
    sessionId: id,
    score: usage.requests < 5 ? null : 81,
    usualScore: 74,
    pastSessions: 12,
    parts: [
      part("cacheHits", 30, 884, 98, [0, 900]),
      part("waste", 25, 21, 90, [200, 0]),
      part("repeats", 20, 95, 53, [200, 0]),
      part("outputPerInput", 15, 52, 71, [0, 94]),
      part("costPerCheckpoint", 10, null, null, [0, 0]),
    ],
  }),
);

export const sessionPast = ofSession((view): PastView => {
  const usual = { low: 1, median: 2, high: 3 };
  const place = {
    value: view.usage.total,
    usual,
    place: "above" as const,
    percentOfMedian: 140,
    says: `${view.usage.total.toLocaleString("en")} tokens after this time: more than in three of four of your 12 sessions that lasted that long (median 880,000).`,
  };
  return {
    sessionId: view.id,
    elapsedMs: view.elapsedMs,
    pastSessions: 12,
    stepMs: 60_000,
    bands: Array.from({ length: 90 }, (_, minute) => {
      const total = { low: minute * 9_000, median: minute * 14_000, high: minute * 22_000 };
      return { atMs: minute * 60_000, sessions: 12, calls: usual, total, fresh: usual, costNanoUsd: null };
    }),
    now: { sessions: 12, calls: place, total: place, fresh: place, costNanoUsd: null },
  };
});

const figures = ({ elapsedMs, usage }: SessionView): SessionFigures => {
  const prompts = usage.input + usage.cacheRead + usage.cacheWrite;
  return {
    elapsedMs,
    requests: usage.requests,
    errors: usage.errors,
    input: usage.input,
    cacheRead: usage.cacheRead,
    cacheWrite: usage.cacheWrite,
    output: usage.output,
    reasoning: usage.reasoning,
    total: usage.total,
    costNanoUsd: usage.costNanoUsd,
    cacheSharePercent: prompts === 0 ? null : Math.round((usage.cacheRead / prompts) * 100),
    efficiency: usage.requests < 5 ? null : 81,
    outputPerMinute: elapsedMs < 1_000 ? null : Math.round(usage.output / (elapsedMs / 60_000)),
  };
};

const less = (mine: SessionFigures, first: SessionFigures): SessionFigures =>
  Object.fromEntries(
    Object.entries(mine).map(([name, value]) => {
      const other = first[name as keyof SessionFigures];
      return [name, value === null || other === null ? null : value - other];
    }),
  ) as SessionFigures;

export const compareSessions = ({ params, scene }: Asked): Reply => {
  const ids = (params.get("ids") ?? "").split(",");
  if (ids.length < 2)
    return [422, { title: "Not possible", status: 422, detail: "`ids` needs two.", field: "ids" }];
  const found = ids.map((id) => (id === "median" ? median(scene) : compared(id, scene)));
  const first = found[0];
  if (!first || found.includes(undefined)) return none;
  const sessions = found
    .filter((one) => one !== undefined)
    .map((one, index) => ({
      ...one,
      difference: index > 0 && one.figures && first.figures ? less(one.figures, first.figures) : null,
    }));
  const answer: ComparisonView = { stepMs: 60_000, sessions };
  return [200, answer];
};

const compared = (id: string, scene: Scene): ComparedView | undefined => {
  const known = scene.sessions.find((view) => view.id === id);
  if (!known) return undefined;
  const view = atNow(known);
  return {
    sessionId: id,
    name: view.name,
    status: view.status,
    pastSessions: 1,
    points: curve(view, scene.calls).points,
    figures: figures(view),
    difference: null,
  };
};

const median = (scene: Scene): ComparedView | undefined => {
  const [first] = scene.sessions;
  if (!first) return undefined;
  const own = compared(first.id, scene);
  if (!own?.figures) return undefined;
  const points = own.points.map((point) => ({ ...point, total: point.atMs / 4, fresh: point.atMs / 30 }));
  return { ...own, sessionId: null, name: null, status: null, pastSessions: 12, points };
};

export const deleteSession = ({ id, params, scene, publish }: Asked): Reply => {
  const calls = params.get("calls");
  if (calls !== "unassign" && calls !== "delete") {
    return [
      422,
      { title: "Not possible", status: 422, detail: "Say what becomes of the calls.", field: "calls" },
    ];
  }
  if (!scene.sessions.some((view) => view.id === id)) return none;
  scene.sessions = scene.sessions.filter((view) => view.id !== id);
  const left = scene.calls.filter((call) => call.sessionId === id).map((call) => call.id);
  publish({
    kind: "calls.moved",
    data: { calls: left, from: id, to: null, unassigned: scene.unassigned },
  });
  return [200, {}];
};
