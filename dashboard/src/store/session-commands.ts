/**
 * What can be done with a session from anywhere: its buttons, the palette, keys. Each throws a `Problem` with the reason.
 */
import type { SessionView } from "@/api/types.gen";
import { addCheckpoint, changeSession, type SessionChange } from "@/shared/api-client";
import { receiveSession, useLive } from "@/store/live-store";
import { shownSession } from "@/store/shown-session";
import { selectSession, useUi } from "@/store/ui-store";

export const change = async (view: SessionView, asked: SessionChange): Promise<void> => {
  const changed = await changeSession(view.id, view.revision, asked);
  receiveSession(changed);
  // The result stays in view, also if another session is open.
  if (changed.status === "completed") selectSession(view.id);
};

/** Pauses a session that runs, resumes one that is paused. */
export const toggle = (view: SessionView): Promise<void> =>
  change(view, { status: view.status === "active" ? "paused" : "active" });

export const complete = (view: SessionView): Promise<void> => change(view, { status: "completed" });

export const checkpoint = (view: SessionView, phase: string): Promise<void> => addCheckpoint(view.id, phase);

/** The session that Live shows, if it is not over. */
export const openSession = (): SessionView | undefined => {
  const view = shownSession(useLive.getState().state.sessions, useUi.getState())?.view;
  return view?.status === "completed" ? undefined : view;
};
