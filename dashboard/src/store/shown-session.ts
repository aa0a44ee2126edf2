import type { LiveSession } from "@/store/live-reducer";

export type Choice = {
  /** The one the user asked to see. */
  selectedSession: string | null;
  /** The one that ended while it was in view. */
  endedInView: string | null;
};

/**
 * The session to show: the chosen one, else the current one, else the newest whose clock runs or is paused.
 * Where none is open, one that has just ended stays: its result is what one wants to see next.
 */
export const shownSession = (sessions: LiveSession[], choice: Choice): LiveSession | undefined =>
  sessions.find(({ view }) => view.id === choice.selectedSession) ??
  sessions.find(({ view }) => view.current && view.status !== "completed") ??
  sessions.find(({ view }) => view.status === "active") ??
  sessions.find(({ view }) => view.status === "paused") ??
  sessions.find(({ view }) => view.id === choice.endedInView);
