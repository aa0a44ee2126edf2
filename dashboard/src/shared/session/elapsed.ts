import type { LiveSession } from "@/store/live-reducer";

/** The session's time at `now` on the page's clock: a difference to its anchor, never a count of ticks. */
export const elapsedAt = ({ view, receivedAt }: LiveSession, now: number): number => {
  if (view.status !== "active") return view.elapsedMs;
  const elapsed = view.elapsedMs + Math.max(0, now - receivedAt);
  return view.duration === null ? elapsed : Math.min(elapsed, view.duration);
};
