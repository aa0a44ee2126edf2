/**
 * Where a list of calls pauses for breath. Pure.
 */
import type { CallView } from "@/api/types.gen";

/** Shorter is thinking, not idling. */
const IDLE_MS = 5 * 60_000;

/** By the id of the first call after it: how long nothing ran. `calls` are one session's, newest first. */
export const idleGaps = (calls: readonly CallView[]): Map<string, number> => {
  const gaps = new Map<string, number>();
  // The end of all that began before: calls may overlap.
  let busyUntil = -Infinity;
  let last: CallView | undefined;
  for (const call of calls.toReversed()) {
    const gap = call.startedAt - busyUntil;
    if (last && gap >= IDLE_MS) gaps.set(call.id, gap);
    const end = call.outcome === "running" ? Infinity : call.startedAt + (call.durationMs ?? 0);
    busyUntil = Math.max(busyUntil, end);
    last = call;
  }
  return gaps;
};
