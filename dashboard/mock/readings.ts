/**
 * What the mock answers to reads that follow from its sessions and calls.
 */
import type { CallView, CurvePoint, CurveView, SessionView } from "../src/api/types.gen";

export type Reply = [status: number, body: object];

const CURVE_POINTS = 120;

/** The answer; `null` where the path is none of these. */
export const reading = (url: URL, sessions: SessionView[], calls: CallView[]): Reply | null => {
  const [, id, part] = /^\/api\/sessions\/([^/]+)(?:\/([a-z]+))?$/.exec(url.pathname) ?? [];
  const view = sessions.find((session) => session.id === id);
  if (view && part === "curve") return [200, curve(view, calls)];
  if (view && part === undefined) return [200, view];
  if (view && part === "checkpoints") return [200, { checkpoints: [], next: null }];
  return null;
};

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
