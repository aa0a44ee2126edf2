/**
 * What the mock answers to reads of its sessions and calls.
 */
import type {
  CallDetail,
  CallView,
  CheckpointView,
  CurvePoint,
  CurveView,
  SessionView,
} from "../src/api/types.gen";
import type { Asked, Reply } from "./rest";
import { newId, type Scene } from "./scene";

const CURVE_POINTS = 120;

export const none: Reply = [404, { title: "Not found", status: 404, detail: "There is no such thing." }];

export const listCalls = ({ params, scene }: Asked): Reply => [200, page(params, scene.calls)];

export const oneCall = ({ id, scene }: Asked): Reply => {
  const call = scene.calls.find((known) => known.id === id);
  return call ? [200, detail(call)] : none;
};

/** A page of the sessions that the filters let pass. */
export const listSessions = ({ params, scene }: Asked): Reply => {
  const limit = Number(params.get("limit") ?? 50);
  const begin = Number(params.get("cursor") ?? 0);
  const search = params.get("search")?.toLowerCase() ?? "";
  const status = params.get("status");
  const by: Record<string, (view: SessionView) => number> = {
    tokens: ({ usage }) => usage.total,
    cost: ({ usage }) => usage.costNanoUsd ?? -1,
    duration: ({ elapsedMs }) => elapsedMs,
  };
  const value = by[params.get("sort") ?? ""] ?? (({ startedAt }: SessionView) => startedAt);
  const sign = params.get("order") === "asc" ? 1 : -1;
  const found = scene.sessions
    .map(atNow)
    .filter(
      (view) =>
        [view.name, view.note, ...view.tags].join(" ").toLowerCase().includes(search) &&
        (status === null || status === view.status) &&
        view.startedAt >= Number(params.get("from") ?? 0),
    )
    .sort((a, b) => sign * (value(a) - value(b)));
  const sessions = found.slice(begin, begin + limit);
  return [200, { sessions, next: begin + limit < found.length ? String(begin + limit) : null }];
};

export const ofSession =
  (answer: (view: SessionView, scene: Scene) => object) =>
  ({ id, scene }: Asked): Reply => {
    const view = scene.sessions.find((session) => session.id === id);
    return view ? [200, answer(atNow(view), scene)] : none;
  };

/** The session with its clock read now. */
export const atNow = (view: SessionView): SessionView => {
  const at = Date.now();
  return {
    ...view,
    at,
    elapsedMs: view.status === "active" ? view.elapsedMs + (at - view.at) : view.elapsedMs,
  };
};

export const oneSession = ofSession((view) => view);
export const sessionCurve = ofSession((view, { calls }) => curve(view, calls));

const noted = new WeakMap<Scene, { key: string; view: CheckpointView }[]>();

/** What was noted in a scene, each under its key. */
const checkpointsOf = (scene: Scene): { key: string; view: CheckpointView }[] => {
  const known = noted.get(scene) ?? [];
  noted.set(scene, known);
  return known;
};

export const sessionCheckpoints = ofSession(({ id }, scene) => ({
  checkpoints: checkpointsOf(scene)
    .map(({ view }) => view)
    .filter(({ sessionId }) => sessionId === id),
  next: null,
}));

/** Said again under the same key, it is noted once. */
export const noteCheckpoint = ({ id, key, body, scene, publish }: Asked): Reply => {
  const session = scene.sessions.find((view) => view.id === id);
  if (!session) return none;
  const all = checkpointsOf(scene);
  const again = key === "" ? undefined : all.find((known) => known.key === key);
  if (again) return [201, again.view];
  const { at, elapsedMs, usage } = atNow(session);
  const before = all.filter(({ view }) => view.sessionId === id).at(-1)?.view;
  const used = { ...usage, costNanoUsd: usage.costNanoUsd };
  const view: CheckpointView = {
    id: newId(),
    sessionId: id,
    phase: String(body["phase"]),
    promptCount: null,
    metadata: null,
    at,
    elapsedMs,
    usage: used,
    sinceMs: elapsedMs - (before?.elapsedMs ?? 0),
    since: {
      ...used,
      total: used.total - (before?.usage.total ?? 0),
      costNanoUsd: used.costNanoUsd === null ? null : used.costNanoUsd - (before?.usage.costNanoUsd ?? 0),
    },
  };
  all.push({ key, view });
  publish({ kind: "checkpoint", data: view }, id);
  const changed = { ...session, checkpoints: session.checkpoints + 1 };
  scene.sessions = scene.sessions.map((known) => (known.id === id ? changed : known));
  publish({ kind: "session", data: { ...atNow(changed), revision: session.revision } }, id);
  return [201, view];
};

/** A page of the calls that the filters let pass. */
const page = (searchParams: URLSearchParams, calls: CallView[]): object => {
  const limit = Number(searchParams.get("limit") ?? 50);
  const from = Number(searchParams.get("from") ?? 0);
  const cursor = searchParams.get("cursor");
  const search = searchParams.get("search")?.toLowerCase() ?? "";
  const passes = (call: CallView): boolean =>
    call.startedAt >= from &&
    `${call.model} ${call.requestModel} ${call.operation} ${call.client}`.toLowerCase().includes(search) &&
    (["provider", "model", "client", "outcome", "source", "conversation"] as const).every(
      (name) => !searchParams.has(name) || searchParams.get(name) === call[name],
    ) &&
    (!searchParams.has("session") || searchParams.get("session") === (call.sessionId ?? "unassigned"));
  const found = calls.filter(passes);
  const begin = cursor === null ? 0 : found.findIndex(({ id }) => id === cursor) + 1;
  const shown = found.slice(begin, begin + limit);
  return { calls: shown, next: begin + limit < found.length ? (shown.at(-1)?.id ?? null) : null };
};

const detail = (call: CallView): CallDetail => ({
  ...call,
  askedBy: null,
  priceProvider: call.provider,
  replyModel: call.model,
  parts: {
    ...(call.input !== null && { input: call.input }),
    ...(call.cacheRead !== null && { cacheRead: call.cacheRead }),
    ...(call.cacheWrite !== null && { cacheWrite5m: call.cacheWrite }),
    ...(call.output !== null && { output: call.output - (call.reasoning ?? 0) }),
    ...(call.reasoning !== null && { reasoning: call.reasoning }),
  },
  rawUsage: call.source === "exact" ? { input_tokens: call.input, output_tokens: call.output } : null,
});

/** As if its clock had never been paused. */
export const curve = (view: SessionView, calls: CallView[]): CurveView => {
  const ended = calls
    .filter(({ sessionId, outcome }) => sessionId === view.id && outcome !== "running")
    .map((call) => ({ call, atMs: call.startedAt + (call.durationMs ?? 0) - view.startedAt }));
  const stepMs = Math.max(1_000, Math.ceil(view.elapsedMs / CURVE_POINTS));
  const points = Array.from({ length: Math.ceil(view.elapsedMs / stepMs) + 1 }, (_, index): CurvePoint => {
    const atMs = Math.min(view.elapsedMs, index * stepMs);
    const until = ended.filter((end) => end.atMs <= atMs).map(({ call }) => call);
    const sum = (part: (call: CallView) => number | null): number =>
      until.reduce((all, call) => all + (part(call) ?? 0), 0);
    const total = sum((call) => call.total);
    return {
      atMs,
      calls: until.length,
      total,
      fresh: total - sum((call) => call.cacheRead),
      costNanoUsd: view.usage.costNanoUsd === null ? null : sum((call) => call.costNanoUsd),
    };
  });
  return { sessionId: view.id, elapsedMs: view.elapsedMs, stepMs, points };
};
